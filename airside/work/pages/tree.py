"""What happens to the pages below a page: they are archived and restored with it, as in Plane.

All or none, in one transaction, so their number is limited: in between, a tree could be changed.
"""

from datetime import date

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import Refused
from airside.rest.call import Call
from airside.rest.computed import compute
from airside.rest.face import Face
from airside.rest.gate import record_updated
from airside.rest.verbs import store_changes
from airside.work.pages.tables import pages

MAX_BELOW = 1_000  # pages that are archived, restored or moved with the one above them


def _descendants() -> Statement:
    """UNION terminates even on a cycle; the limit ends the recursion, too."""
    start = sa.select(pages.c.id).where(
        tenant(pages), pages.c.parent_id == sa.bindparam("root_id", type_=Id()), live(pages)
    )
    tree = start.cte("tree", recursive=True)
    below = sa.select(pages.c.id).join(tree, pages.c.parent_id == tree.c.id)
    tree = tree.union(below.where(tenant(pages), live(pages)))
    return Statement(
        sa.select(pages)
        .where(
            tenant(pages),
            pages.c.id.in_(sa.select(tree.c.id).limit(sa.bindparam("limit", type_=sa.Integer()))),
        )
        .with_for_update()
    )


_DESCENDANTS = _descendants()


async def list_descendants(face: Face, call: Call, page_id: str) -> list[Row]:
    """The pages below a page at any depth, locked, with their computed fields. Raises Refused for too many."""
    keys = {"workspace_id": call.workspace_id, "root_id": page_id}
    rows = await call.reader.fetch_all(_DESCENDANTS, **keys, limit=MAX_BELOW + 1)
    if len(rows) > MAX_BELOW:
        raise Refused(
            f"A page with more than {MAX_BELOW:,} pages below it can't be archived, restored or moved"
        )
    rows = [row for row in rows if row["id"] != page_id]
    await compute(face.record.computed, call, rows)
    return sorted(rows, key=lambda row: row["id"])


async def archive_descendants(face: Face, call: Call, page_id: str, day: date | None) -> None:
    """Archive what is below a page at this day, or restore it; each change records its event."""
    for row in await list_descendants(face, call, page_id):
        if (row["archived_at"] is None) != (day is None):
            after = await store_changes(face, call, row, {"archived_at": day})
            action = "updated" if day is None else "archived"
            await record_updated(call, face, row, after, ("archived_at",), action)


async def leave_archived_parent(face: Face, call: Call, row: Row) -> None:
    """A restored page doesn't stay below an archived one. Changes `row`."""
    if row["parent_id"] is None:
        return
    parent = await call.reader.find(pages, workspace_id=call.workspace_id, id=row["parent_id"])
    if parent is None or parent["archived_at"] is None:
        return
    await compute(face.record.computed, call, [row])
    after = await store_changes(face, call, row, {"parent_id": None})
    await record_updated(call, face, row, after, ("parent_id",))
    row.update(after)
