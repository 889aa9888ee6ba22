"""What a running instance has: its settings, database, clock, wake-ups, change hooks, counters and keys."""
