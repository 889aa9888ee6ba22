"""Runs one statement outside a transaction, as CREATE DATABASE needs. Runs in the peer's environment.

python postgres_statement.py URL STATEMENT
"""

import sys

import psycopg  # pyright: ignore[reportMissingImports] - only the peer's environment has it

if __name__ == "__main__":
    url, statement = sys.argv[1:]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
