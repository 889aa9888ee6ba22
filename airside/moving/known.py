"""Which records of a source are here already, and under which id."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from airside.db.base import Id
from airside.db.conditions import tenant
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement, any_of
from airside.moving.tables import imported_records

_r = imported_records.c
_OF_IMPORT = (tenant(imported_records), _r.import_id == sa.bindparam("import_id", type_=Id()))
_KNOWN = Statement(sa.select(_r.source_id, _r.record_id).where(*_OF_IMPORT, any_of(_r.source_id, "ids")))
_UNSETTLED = Statement(
    sa.select(_r.source_id).where(*_OF_IMPORT, any_of(_r.source_id, "ids"), _r.is_settled.is_(sa.false()))
)
_SETTLE = Statement(
    sa.update(imported_records).where(*_OF_IMPORT, any_of(_r.source_id, "ids")).values(is_settled=True)
)


class Brought:
    """The records of one import."""

    def __init__(self, workspace_id: str, import_id: str) -> None:
        self._keys = {"workspace_id": workspace_id, "import_id": import_id}

    async def find(self, reader: Reader, ids: Iterable[str]) -> dict[str, str]:
        """Id there → id here, of those that came."""
        rows = await reader.fetch_all(_KNOWN, **self._keys, ids=list(ids))
        return {row["source_id"]: row["record_id"] for row in rows}

    async def find_unsettled(self, reader: Reader, ids: Iterable[str]) -> set[str]:
        return {row["source_id"] for row in await reader.fetch_all(_UNSETTLED, **self._keys, ids=list(ids))}

    async def remember(self, tx: Transaction, made: Mapping[str, str], *, is_settled: bool) -> None:
        """In the transaction that stores them. Raises UniqueViolation for one that another run has just brought."""
        rows = [
            {**self._keys, "source_id": there, "record_id": here, "is_settled": is_settled}
            for there, here in made.items()
        ]
        await tx.insert_all(imported_records, rows)

    async def settle(self, tx: Transaction, ids: Iterable[str]) -> None:
        await tx.execute(_SETTLE, **self._keys, ids=list(ids))
