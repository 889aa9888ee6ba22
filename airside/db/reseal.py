"""Key rotation without downtime: re-encrypts under the current key what is sealed under a previous one.

A sealed column has `info={SEALED_FOR: purpose}`. A row that changes meanwhile is skipped: it is sealed under the
current key already, or the next run finds it.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa

from airside.db.base import Row
from airside.db.database import Database
from airside.db.statements import Statement
from airside.db.tables import load_tables
from airside.system.credentials import SEALED_FOR, Sealer

BATCH = 100  # rows of one transaction, so that requests don't wait long for it


class Resealed(msgspec.Struct):
    """The number of values. `unreadable` ones are sealed under a key that isn't configured."""

    resealed: int = 0
    changed_meanwhile: int = 0
    unreadable: int = 0


async def reseal(db: Database, sealer: Sealer) -> Resealed:
    """Seal everything under the current key; to be run again until it finds nothing."""
    done = Resealed()
    for column in sealed_columns():
        rows = [row for row in await db.fetch_all(_all_of(column)) if not sealer.is_current(row[column.name])]
        for batch in _batches(rows):
            async with db.transaction() as tx:
                for row in batch:
                    new = _reseal(sealer, row[column.name], column.info[SEALED_FOR])
                    if new is None:
                        done.unreadable += 1
                    elif await tx.execute(_replace(column), **_keys(row), new=new):
                        done.resealed += 1
                    else:
                        done.changed_meanwhile += 1
    return done


async def count_by_key(db: Database, sealer: Sealer) -> dict[str, int]:
    """Key id → how many values are sealed under it; "unknown" for keys that aren't configured."""
    counts = Counter(dict.fromkeys(sealer.key_ids, 0))
    for column in sealed_columns():
        for row in await db.fetch_all(_all_of(column)):
            key_id = sealer.key_id_of(row[column.name])
            counts[key_id if key_id in sealer.key_ids else "unknown"] += 1
    return dict(counts)


def sealed_columns() -> list["sa.Column[Any]"]:
    """Every column with sealed values."""
    return [
        column for table in load_tables().sorted_tables for column in table.c if SEALED_FOR in column.info
    ]


def _reseal(sealer: Sealer, sealed: str, purpose: str) -> str | None:
    try:
        return sealer.seal(sealer.unseal(sealed, purpose), purpose)
    except ValueError:
        return None


def _keys(row: Row) -> dict[str, Any]:
    return {f"old_{name}": value for name, value in row.items()}


def _batches(rows: list[Row]) -> Iterator[list[Row]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


@cache
def _all_of(column: "sa.Column[Any]") -> Statement:
    return Statement(sa.select(*column.table.primary_key, column).where(column.is_not(None)))


@cache
def _replace(column: "sa.Column[Any]") -> Statement:
    same = (
        one == sa.bindparam(f"old_{one.name}", type_=one.type) for one in (*column.table.primary_key, column)
    )
    return Statement(
        sa.update(column.table).where(*same).values({column.name: sa.bindparam("new", type_=column.type)})
    )
