"""Users, sign-ins, sessions and passwords."""
