"""Databases: one small layer that runs SQLAlchemy Core statements on sqlite3 and asyncpg directly."""
