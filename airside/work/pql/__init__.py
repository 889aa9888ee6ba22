"""Plane's query language for work items: text to a small expression, and the expression to a condition in SQL."""
