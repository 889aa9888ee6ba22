"""The worker's purges of files: uploads that nobody confirmed end, and the bytes of deleted records are removed.

A key has one record and is never used again, and only a deleted record's bytes are removed: no file that is still
named can be.
"""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
import structlog

from airside.assets.quota import give_room
from airside.assets.storage import key_of, picture_key_of, storage_of, upload_key_of
from airside.assets.stored import StorageAway
from airside.assets.tables import assets, file_endings, files
from airside.db.base import Id, Instant, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.runtime.site import Site

UNCONFIRMED = timedelta(days=1)  # after the request for its upload; the policy ends after an hour
DELETED = timedelta(days=1)  # after the deletion, until the bytes are removed
BATCH, BATCHES = 100, 50  # of one run

_log = structlog.get_logger("airside.assets")


async def purge_files(site: Site) -> int:
    """Returns how many files were removed."""
    await end_unconfirmed(site)
    await end_of_projects(site)
    try:
        removed = await _remove(site, _UNREMOVED_FILES, files)
        removed += await _remove(site, _UNREMOVED_ASSETS, assets)
        await storage_of(site).clean()
    except StorageAway:
        _log.warning("files_not_removed")  # the next run tries again
        return 0
    return removed


async def end_unconfirmed(site: Site) -> None:
    """Delete records whose upload was requested long ago and never confirmed."""
    before = site.clock.now() - UNCONFIRMED
    for _ in range(BATCHES):
        found = await site.db.fetch_all(_UNCONFIRMED_FILES, before=before)
        await _end_files(site, found, _END_UNCONFIRMED)
        if len(found) < BATCH:
            break
    async with site.db.transaction() as tx:
        await tx.execute(_END_ASSETS, before=before, now=site.clock.now())


async def end_of_projects(site: Site) -> None:
    """Delete the attachments of deleted projects."""
    for keys in await site.db.fetch_all(_ENDINGS):
        for _ in range(BATCHES):
            found = await site.db.fetch_all(_ATTACHED, **keys)
            await _end_files(site, found, _END)
            if len(found) < BATCH:
                async with site.db.transaction() as tx:
                    await tx.delete(file_endings, **keys)
                break


async def _end_files(site: Site, found: Sequence[Row], end: Statement) -> None:
    """Delete those of the records that are still as they were found, and give back their room."""
    if not found:
        return
    now = site.clock.now()
    async with site.db.transaction() as tx:
        for row in found:
            keys = {"workspace_id": row["workspace_id"], "id": row["id"]}
            if await tx.execute(end, **keys, now=now):
                await give_room(tx, row["workspace_id"], row["size"])


async def _remove(site: Site, which: Statement, table: sa.Table) -> int:
    """Remove the bytes of deleted records. Raises StorageAway."""
    removed, before, storage = 0, site.clock.now() - DELETED, storage_of(site)
    for _ in range(BATCHES):
        found = await site.db.fetch_all(which, before=before)
        for row in found:
            for key in _keys_of(row, table):
                await storage.delete(key)
        async with site.db.transaction() as tx:
            for row in found:
                keys = {"id": row["id"], **({} if table is assets else {"workspace_id": row["workspace_id"]})}
                await tx.update(table, {"removed_at": site.clock.now()}, **keys)
        removed += len(found)
        if len(found) < BATCH:
            break
    if removed:
        _log.info("files_removed", number=removed)
    return removed


def _keys_of(row: Row, table: sa.Table) -> set[str]:
    """Of its bytes, and of what was uploaded with its form after it was complete."""
    return {picture_key_of(row)} if table is assets else {key_of(row), upload_key_of(row)}


def _unremoved(table: sa.Table) -> Statement:
    deleted = table.c.deleted_at
    return Statement(
        sa.select(table.c.id, table.c.workspace_id, table.c.stored_id)
        .where(deleted <= _before, deleted.is_not(None), table.c.removed_at.is_(None))
        .order_by(deleted)
        .limit(_limit)
    )


_before = sa.bindparam("before", type_=Instant())
_now = sa.bindparam("now", type_=Instant())
_limit: sa.ColumnElement[int] = sa.literal_column(str(BATCH), sa.Integer())
_unconfirmed = sa.and_(live(files), files.c.is_uploaded.is_(sa.false()))
_one = sa.and_(tenant(files), files.c.id == sa.bindparam("id", type_=Id()))

_UNREMOVED_FILES, _UNREMOVED_ASSETS = _unremoved(files), _unremoved(assets)
_UNCONFIRMED_FILES = Statement(
    sa.select(files.c.workspace_id, files.c.id, files.c.size)
    .where(_unconfirmed, files.c.created_at <= _before)
    .order_by(files.c.created_at)
    .limit(_limit)
)
_END_UNCONFIRMED = Statement(sa.update(files).where(_one, _unconfirmed).values(deleted_at=_now))
_END = Statement(sa.update(files).where(_one, live(files)).values(deleted_at=_now))
_END_ASSETS = Statement(
    sa.update(assets)
    .where(live(assets), assets.c.confirmed_at.is_(None), assets.c.created_at <= _before)
    .values(deleted_at=_now)
)
_ENDINGS = Statement(sa.select(file_endings).limit(_limit))
_ATTACHED = Statement(
    sa.select(files.c.workspace_id, files.c.id, files.c.size)
    .where(
        tenant(files),
        files.c.project_id == sa.bindparam("project_id", type_=Id()),
        live(files),
        files.c.issue_id.is_not(None),
    )
    .limit(_limit)
)
