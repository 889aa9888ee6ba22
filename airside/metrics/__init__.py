"""What an operator watches: counted by every process, kept in the database, told at /metrics."""
