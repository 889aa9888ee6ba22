"""Transfer: the unfinished work items of a cycle that is over go to another one, which isn't."""

from typing import Any

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import Invalid, NotFound, Refused
from airside.pql.fields import OPEN_GROUPS
from airside.rest.body import Body, Uuid
from airside.rest.call import Call
from airside.rest.computed import compute
from airside.rest.face import Shown
from airside.rest.followups import Followup, follow_up, in_turns
from airside.rest.record import MEMBER
from airside.rest.route import Route
from airside.rest.selection import find_record
from airside.rest.verbs import change_record, in_transaction
from airside.rest.wires.v1.paths import WORKSPACE
from airside.work.planning.cycle_dates import is_completed
from airside.work.planning.cycle_work_items import CYCLE_WORK_ITEMS, CYCLE_WORK_ITEMS_V1
from airside.work.planning.cycles import CYCLES_V1
from airside.work.planning.progress import count_fields, estimate_fields
from airside.work.planning.tables import IN_CYCLES, cycle_work_items, cycles
from airside.work.projects.states import states
from airside.work.work_items.tables import listed, work_items

_KEPT = (*count_fields(IN_CYCLES, cycles), *estimate_fields(IN_CYCLES))  # of a cycle's progress
_links = cycle_work_items.c
_UNFINISHED = Statement(
    sa.select(cycle_work_items)
    .join(
        work_items,
        sa.and_(work_items.c.workspace_id == _links.workspace_id, work_items.c.id == _links.issue_id, listed),
    )
    .join(
        states,
        sa.and_(states.c.workspace_id == work_items.c.workspace_id, states.c.id == work_items.c.state_id),
    )
    .where(
        tenant(cycle_work_items),
        _links.cycle_id == sa.bindparam("cycle_id", type_=Id()),
        live(cycle_work_items),
        sa.or_(*(states.c.group == group for group in OPEN_GROUPS)),
    )
    .limit(sa.bindparam("limit", type_=sa.Integer()))
    .with_for_update(of=cycle_work_items)
)


class TransferIn(Body):
    new_cycle_id: Uuid


class TransferOut(Shown):
    message: str


async def transfer_work_items(call: Call) -> Row:
    """POST …/transfer-issues/. Raises NotFound, Invalid for an unknown cycle, and Refused."""
    await in_transaction(call, lambda: _transfer(call))
    return {"message": "Success"}


async def _transfer(call: Call) -> None:
    old_id, new_id = call.path["cycle_id"], call.body["new_cycle_id"]
    found = {
        one: await _lock(call, one) for one in sorted({old_id, new_id})
    }  # in one order, or two would wait
    old, new = found[old_id], found[new_id]
    if old is None:
        raise NotFound
    if new is None:
        raise Invalid({"new_cycle_id": [f'Invalid pk "{new_id}" - object does not exist.']})
    _check(call, old, new)
    await _keep_progress(call, old)
    await follow_up(call, TRANSFERRED, old_id, new_cycle_id=new_id)


async def _move_some(call: Call, old_id: str, details: Row, limit: int) -> int:
    new = await _lock(call, details["new_cycle_id"])
    if new is None:  # deleted meanwhile
        return 0
    links = await call.reader.fetch_all(
        _UNFINISHED, workspace_id=call.workspace_id, cycle_id=old_id, limit=limit
    )
    async for link in in_turns(links):
        await change_record(CYCLE_WORK_ITEMS_V1.face, call, link, {"cycle_id": new["id"]})
    return len(links)


TRANSFERRED = Followup("cycle.transferred", _move_some)


async def _lock(call: Call, cycle_id: str) -> Row | None:
    try:
        return await find_record(CYCLES_V1, call, cycle_id, lock=True)
    except NotFound:
        return None


def _check(call: Call, old: Row, new: Row) -> None:
    """A cycle without dates is over when people say so, and is never over by itself."""
    if old["archived_at"] is not None:
        raise Refused("Archived cycle cannot be updated")
    if old["end_date"] is not None and not is_completed(old, call.now):
        raise Refused("The old cycle is not completed yet")
    if is_completed(new, call.now):
        raise Refused("The cycle where the issues are transferred is already completed")


async def _keep_progress(call: Call, cycle: Row) -> None:
    """What the cycle had achieved, which its own counts don't say any more. The events of the transfer are those of
    its work items."""
    call.prepared["exact_numbers"] = True
    await compute(CYCLES_V1.record.computed, call, [cycle])
    snapshot: dict[str, Any] = {name: cycle[name] for name in _KEPT}
    keys = {"workspace_id": call.workspace_id, "id": cycle["id"]}
    await call.writer.update(cycles, {"progress_snapshot": snapshot, "updated_at": call.now}, **keys)


TRANSFER_ROUTES = [
    Route(
        method="POST",
        path=f"{WORKSPACE}{CYCLES_V1.path}/{{cycle_id}}/transfer-issues",
        handler=transfer_work_items,
        scope="projects.cycles:write",
        name="transfer_cycle_work_items",
        summary="Move the unfinished work items of a cycle to another one",
        role=MEMBER,
        body=TransferIn,
        shown=TransferOut,
        event=f"{CYCLE_WORK_ITEMS.event}.updated",
        needs="cycles",
    )
]
