"""Runs in a work item's thread: each below the comment that began it."""

from collections.abc import Sequence

from airside.agents.queries import list_activities, list_runs_of_item
from airside.portal.agents.presentation import show_run
from airside.portal.work.acting import Work
from airside.portal.work.people import find_people
from airside.portal.work.thread import Entry, Item

TEMPLATE = "agents/_run.html"


async def list_run_entries(work: Work, item: Item) -> Sequence[Entry]:
    """A source of the thread: a person who may read the work item may read what agents do there."""
    db, workspace_id = work.site.db, work.visit.workspace_id
    runs = await list_runs_of_item(db, workspace_id, item.row["id"])
    if not runs:
        return []
    activities = await list_activities(db, workspace_id, [run["id"] for run in runs])
    people = await find_people(db, (run[name] for run in runs for name in ("agent_user_id", "creator_id")))
    now = work.site.clock.now()
    return [
        Entry(
            run["started_at"] if run["ended_at"] else run["last_activity_at"],  # one in progress is last
            TEMPLATE,
            show_run(work.here, run, activities[run["id"]], people, now) | {"item_href": item.href},
            run["comment_id"] or "",
        )
        for run in runs
    ]
