"""Background jobs, and how often they run."""
