"""A row for each served operation that an official SDK has: called through it, and its effect read back."""
