"""The history of work items that come into a milestone and leave it."""

from collections.abc import Sequence

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.events.outbox import Change
from airside.rest.call import Call
from airside.rest.followups import Followup, in_turns
from airside.rest.gate import record_act, show_v1, show_v2
from airside.work.planning.milestone_tables import milestone_work_items, milestones
from airside.work.work_items.activities import Happening, record_happenings
from airside.work.work_items.tables import work_items
from airside.work.work_items.work_items import WORK_ITEMS_V1

_ITEMS = Statement(
    sa.select(work_items).where(tenant(work_items), any_of(work_items.c.id, "ids"), live(work_items))
)
_TITLES = Statement(
    sa.select(milestones.c.id, milestones.c.title).where(tenant(milestones), any_of(milestones.c.id, "ids"))
)
_HELD = Statement(
    sa.select(milestone_work_items.c.id, milestone_work_items.c.issue_id)
    .where(
        tenant(milestone_work_items),
        milestone_work_items.c.milestone_id == sa.bindparam("milestone_id", type_=milestones.c.id.type),
        live(milestone_work_items),
    )
    .limit(sa.bindparam("limit", type_=sa.Integer()))
    .with_for_update()
)
_END = Statement(
    sa.update(milestone_work_items)
    .where(tenant(milestone_work_items, "key_workspace_id"), any_of(milestone_work_items.c.id, "ids"))
    .values(deleted_at=sa.bindparam("now", type_=milestones.c.created_at.type))
)


async def record_milestone(
    call: Call, item_ids: Sequence[str], old_id: str | None, new_id: str | None
) -> None:
    """Each work item's history and event: it went from one milestone to another; None for none."""
    ids = [one for one in (old_id, new_id) if one]
    titles = {
        row["id"]: row["title"]
        for row in await call.reader.fetch_all(_TITLES, workspace_id=call.workspace_id, ids=ids)
    }
    happening = _describe(old_id, new_id, titles)
    items = await call.reader.fetch_all(_ITEMS, workspace_id=call.workspace_id, ids=list(item_ids))
    async for item in in_turns(items):
        await record_happenings(call, item["id"], item["project_id"], [happening])
        await record_act(
            call,
            "workitem.updated",
            item["id"],
            project_id=item["project_id"],
            data=await show_v1(call, WORK_ITEMS_V1, item),
            data_v2={**show_v2(WORK_ITEMS_V1, item), "milestone_id": new_id},
            changes=[Change("milestone", old_id, new_id)],
            previous={"milestone_id": old_id},
        )


def _describe(old_id: str | None, new_id: str | None, titles: Row) -> Happening:
    old, new = titles.get(old_id or "", ""), titles.get(new_id or "", "")
    if old_id and new_id:
        return Happening(
            "updated", "milestone", old, new, old_id, new_id, f"updated milestone from {old} to {new}"
        )
    if new_id:
        return Happening("created", "milestone", "", new, None, new_id, f"added milestone {new}")
    return Happening("deleted", "milestone", old, "", old_id, None, f"removed this issue from {old}")


async def _take_out(call: Call, milestone_id: str, _: Row, limit: int) -> int:
    keys = {"workspace_id": call.workspace_id, "milestone_id": milestone_id}
    held = await call.reader.fetch_all(_HELD, **keys, limit=limit)
    if held:
        ids = [row["id"] for row in held]
        await call.writer.execute(_END, key_workspace_id=call.workspace_id, ids=ids, now=call.now)
        await record_milestone(call, [row["issue_id"] for row in held], milestone_id, None)
    return len(held)


EMPTIED_MILESTONE = Followup("milestone.emptied", _take_out)  # its work items leave one that is deleted
