"""The running instance: its settings, database, clock, wake-ups, change hooks, counters and keys."""
