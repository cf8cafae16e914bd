"""Business rules, one service a subject; no HTTP, no SQL."""
