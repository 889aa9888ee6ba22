"""What happens to a work item in cycles and modules, in its history and in Plane's words."""

from collections.abc import Sequence

import sqlalchemy as sa

from airside.db.base import Row
from airside.rest.call import Call
from airside.work.work_items.activities import Happening, record_for_all


async def find_name(call: Call, table: sa.Table, record_id: str) -> str:
    """The name of a cycle or module, read once for each call."""
    names: dict[str, str] = call.prepared.setdefault("plan_names", {})
    if record_id not in names:
        row = await call.reader.find(table, workspace_id=call.workspace_id, id=record_id)
        names[record_id] = row["name"] if row else ""
    return names[record_id]


async def record_added(call: Call, link: Row, noun: str, record_id: str, name: str) -> None:
    """`noun` is cycle or module."""
    entry = Happening("created", f"{noun}s", "", name, None, record_id, f"added {noun} {name}")
    await record_for_all(call, [link], entry)


async def record_moved(call: Call, link: Row, old: tuple[str, str], new: tuple[str, str]) -> None:
    """From one cycle to another, each by its id and name."""
    comment = f"updated cycle from {old[1]} to {new[1]}"
    await record_for_all(
        call, [link], Happening("updated", "cycles", old[1], new[1], old[0], new[0], comment)
    )


async def record_removed(call: Call, links: Sequence[Row], noun: str, record_id: str, name: str) -> None:
    """`noun` is cycle or module."""
    entry = Happening("deleted", f"{noun}s", name, "", record_id, None, f"removed this issue from {name}")
    await record_for_all(call, links, entry)
