"""How much of its limit a workspace's files take up: a number that is kept, since adding up rows takes too long.

A file counts from the request for its upload on, so that many uploads at once can't pass the limit.
"""

import sqlalchemy as sa

from airside.assets.tables import file_usage
from airside.db.conditions import tenant
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement
from airside.errors import Refused
from airside.settings import Settings

MEGABYTE = 1024 * 1024
_NO_LIMIT = 2**62


class WorkspaceFull(Refused):
    """The workspace's files would take up more than their limit."""

    code = "upload_refused"


async def take_room(tx: Transaction, settings: Settings, workspace_id: str, size: int) -> None:
    """Count a file of so many bytes. Raises WorkspaceFull."""
    limit = settings.workspace_files_mb * MEGABYTE or _NO_LIMIT
    keys = {"workspace_id": workspace_id, "size": size, "limit": limit}
    if size > limit or not await tx.execute(_TAKE, **keys):
        sentence = f"The files of this workspace may take up {settings.workspace_files_mb:,} MB."
        raise WorkspaceFull(f"{sentence} Delete some, or ask the operator of this site for more.")


async def give_room(tx: Transaction, workspace_id: str, size: int) -> None:
    """Count so many bytes less."""
    await tx.execute(_GIVE, workspace_id=workspace_id, size=size)


async def find_usage(reader: Reader, workspace_id: str) -> int:
    """The bytes of the workspace's files."""
    found = await reader.find(file_usage, workspace_id=workspace_id)
    return found["bytes"] if found else 0


_u = file_usage.c
# Both dialects spell the upsert alike, but Core has it only in their own modules, so it is written out.
_TAKE = Statement(
    sa.text(
        "INSERT INTO file_usage (workspace_id, bytes) VALUES (:workspace_id, :size) "
        "ON CONFLICT (workspace_id) DO UPDATE SET bytes = file_usage.bytes + :size "
        "WHERE file_usage.bytes + :size <= :limit"
    ).bindparams(
        sa.bindparam("workspace_id", type_=_u.workspace_id.type),
        sa.bindparam("size", type_=sa.BigInteger()),
        sa.bindparam("limit", type_=sa.BigInteger()),
    )
)
_size = sa.bindparam("size", type_=sa.BigInteger())
_GIVE = Statement(sa.update(file_usage).where(tenant(file_usage)).values(bytes=_u.bytes - _size))
