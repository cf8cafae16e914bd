"""What every layer may use: settings, errors, names, time, secrets. Imports nothing of ours."""
