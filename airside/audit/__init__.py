"""The audit log: who did what to access, from where, when. Only ever added to."""
