"""What a decision on an intake work item means for its work item."""

from airside.db.base import Row
from airside.rest.call import Call
from airside.work.intake.items import ACCEPTED
from airside.work.intake.waiting import accept_waiting
from airside.work.work_items.activities import Happening, record_happenings

# The words of the history, as Plane's.
WORDS = {-2: "Pending", -1: "Rejected", 0: "Snoozed", 1: "Accepted", 2: "Duplicate"}


async def record_decision(call: Call, before: Row, after: Row) -> None:
    """Write it in the history of the work item, which is in all lists once it is accepted."""
    if after["status"] == before["status"]:
        return
    item_id, words = after["issue_id"], (WORDS[before["status"]], WORDS[after["status"]])
    happening = Happening("updated", "intake", *words, comment="updated the intake status")
    await record_happenings(call, item_id, after["project_id"], [happening])
    if after["status"] == ACCEPTED:
        await accept_waiting(call, item_id)
