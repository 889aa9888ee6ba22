"""Metrics for operators: counted in each process, summed in the database, exported at /metrics."""
