"""Copies one work item many times, straight into Airside's table. Runs in Airside's environment.

python airside_rows.py DATABASE_URL WORK_ITEM_ID COPIES

It copies every column of the existing row except those that must differ, so new columns need no change
here. No event is recorded: nothing listens, and only reads are measured on these rows.
"""

import asyncio
import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from airside.db.base import new_id

TABLE = "work_items"


def copy_rows(row: dict[str, Any], copies: int) -> Iterator[tuple[Any, ...]]:
    for number in range(1, copies + 1):
        different = {
            "id": new_id(),
            "name": f"Work item {number + 1}",
            "sequence_id": row["sequence_id"] + number,
            "created_at": _later(row["created_at"], number),
        }
        yield tuple({**row, **different}.values())


def _later(moment: Any, microseconds: int) -> Any:
    """Airside keeps moments as fixed-width text on SQLite, as timestamps on PostgreSQL."""
    step = timedelta(microseconds=microseconds)
    if isinstance(moment, datetime):
        return moment + step
    return f"{datetime.fromisoformat(moment) + step:%Y-%m-%dT%H:%M:%S.%f}Z"


def add_to_sqlite(path: str, work_item: str, copies: int) -> None:
    with closing(sqlite3.connect(path, timeout=20)) as connection, connection:
        connection.row_factory = sqlite3.Row
        row = dict(connection.execute(f"SELECT * FROM {TABLE} WHERE id = ?", [work_item]).fetchone())
        places = ", ".join("?" * len(row))
        insert = f"INSERT INTO {TABLE} ({', '.join(row)}) VALUES ({places})"
        connection.executemany(insert, copy_rows(row, copies))


async def add_to_postgres(url: str, work_item: str, copies: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        row = dict(await connection.fetchrow(f"SELECT * FROM {TABLE} WHERE id = $1", work_item))
        await connection.copy_records_to_table(TABLE, records=copy_rows(row, copies), columns=list(row))
        await connection.execute("VACUUM ANALYZE")  # as on the peer's side
    finally:
        await connection.close()


def main() -> None:
    url, work_item, copies = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if url.startswith("sqlite:///"):
        add_to_sqlite(url.removeprefix("sqlite:///"), work_item, copies)
    else:
        asyncio.run(add_to_postgres(url, work_item, copies))
    print(json.dumps({"copied": copies}))


if __name__ == "__main__":
    main()
