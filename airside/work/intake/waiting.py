"""Work items that wait in the intake: written with their history, but without an event of work items.

No list of work items has them yet; the intake's own events carry them.
"""

from airside.db.base import Row
from airside.events.outbox import Change
from airside.rest.body import with_defaults
from airside.rest.call import Call
from airside.rest.computed import compute
from airside.rest.face import to_columns
from airside.rest.selection import find_record
from airside.rest.verbs import change_record, insert_record, new_row, store_changes
from airside.work.intake.triage_state import get_triage_state
from airside.work.work_items.activities import record_work_item_change
from airside.work.work_items.work_items import WORK_ITEMS, WORK_ITEMS_V1, WorkItemIn, get_default_state


async def store_waiting(call: Call, sent: Row) -> str:
    """Store a work item of these fields in the triage state; its id. The fields were prepared."""
    columns = to_columns(WORK_ITEMS_V1, with_defaults(WorkItemIn, sent))
    columns |= {"state_id": await get_triage_state(call), "in_intake": True}
    row = new_row(WORK_ITEMS_V1, call, columns)
    await WORK_ITEMS.before_create(call, row)
    await insert_record(WORK_ITEMS_V1, call, row)
    await WORK_ITEMS.after_create(call, row)
    await record_work_item_change(call, "created", row, ())
    return row["id"]


async def change_waiting(call: Call, item_id: str, sent: Row) -> bool:
    """Change the work item to these fields, which were prepared; whether that changed something. One that is
    accepted already is changed as any other."""
    item = await find_record(WORK_ITEMS_V1, call, item_id, lock=True)
    columns = to_columns(WORK_ITEMS_V1, sent)
    if not item["in_intake"]:
        await change_record(WORK_ITEMS_V1, call, item, columns)
        return False
    await compute(WORK_ITEMS.computed, call, [item])
    changes = dict(columns)
    await WORK_ITEMS.before_update(call, item, changes)
    await store_changes(WORK_ITEMS_V1, call, item, changes)
    changed = [
        Change(name, item[name], changes[name])
        for name in columns
        if item[name] != changes.get(name, item[name])
    ]
    await record_work_item_change(call, "updated", item, changed)
    return bool(changed)


async def accept_waiting(call: Call, item_id: str) -> None:
    """Move the work item to the default state, by which it is in all lists, with the event of that change."""
    item = await find_record(WORK_ITEMS_V1, call, item_id, lock=True)
    state = await get_default_state(call)
    await change_record(WORK_ITEMS_V1, call, item, {"state_id": state["id"], "in_intake": False})


async def delete_waiting(call: Call, item_id: str) -> None:
    item = await find_record(WORK_ITEMS_V1, call, item_id, lock=True)
    await WORK_ITEMS.before_delete(call, item)
    await store_changes(WORK_ITEMS_V1, call, item, {"deleted_at": call.now})
    await record_work_item_change(call, "deleted", item, ())
