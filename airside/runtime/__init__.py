"""The running instance: its settings, database, change hooks, token revocation, counters and rate budgets."""
