"""The audit log: who changed access, how, from where and when. Append-only."""
