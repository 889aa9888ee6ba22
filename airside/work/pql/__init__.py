"""Queries on work items: compiles an expression of `airside.pql` to SQL."""
