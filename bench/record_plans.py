"""How the database finds what the operations of records read: which statements scan a large table or sort one."""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

from airside.db.database import Database
from airside.db.postgres import PostgresDatabase
from airside.db.statements import Form


class Ran(NamedTuple):
    """A statement with its parameters."""

    form: Form
    params: Mapping[str, Any]


@contextmanager
def noted_statements() -> Iterator[list[Ran]]:
    """Every statement that is bound meanwhile."""
    found: list[Ran] = []
    bind = Form.bind

    def noting(form: Form, params: Mapping[str, Any]) -> list[Any]:
        found.append(Ran(form, dict(params)))
        return bind(form, params)

    Form.bind = noting  # type: ignore[method-assign]
    try:
        yield found
    finally:
        Form.bind = bind  # type: ignore[method-assign]


async def explain(db: Database, ran: Ran) -> tuple[float, list[str]]:
    """How long it takes in milliseconds, and its plan. Only for statements that read."""
    values = ran.form.bind(ran.params)
    if isinstance(db, PostgresDatabase):
        async with db._connection() as connection:
            begun = time.perf_counter()
            await connection.fetch(ran.form.text, *values)
            passed = time.perf_counter() - begun
            rows = await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {ran.form.text}", *values)
        return passed * 1000, [row[0] for row in rows]
    with closing(sqlite3.connect(db.url.removeprefix("sqlite:///"))) as connection:
        begun = time.perf_counter()
        connection.execute(ran.form.text, values).fetchall()
        passed = time.perf_counter() - begun
        plan = connection.execute(f"EXPLAIN QUERY PLAN {ran.form.text}", values)
        return passed * 1000, [row[3] for row in plan]
