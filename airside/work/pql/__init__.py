"""Queries on work items: an expression of `airside.pql` to a condition in SQL."""
