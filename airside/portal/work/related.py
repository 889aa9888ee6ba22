"""How a work item relates to others, seen from it, and other work items as its page names them."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.conditions import tenant
from airside.db.statements import Statement, any_of
from airside.portal.work.presentation import item_href, show_color
from airside.rest.call import Call
from airside.work.access import in_visible_projects
from airside.work.projects.states import states
from airside.work.projects.tables import projects
from airside.work.types.tables import work_item_types
from airside.work.work_items.related_items import list_related
from airside.work.work_items.relation_definitions import find_definitions
from airside.work.work_items.relation_kinds import CUSTOM, INVERSES, name_side
from airside.work.work_items.tables import list_conditions, work_items

MAX_RELATED = 200  # that a page shows

# The relations that every workspace has, as the work item's side calls them, in the order of the page.
WORDS = {
    "blocked_by": "Blocked by",
    "blocking": "Blocking",
    "duplicate": "Duplicate of",
    "relates_to": "Relates to",
    "start_after": "Starts after",
    "start_before": "Starts before",
    "finish_after": "Finishes after",
    "finish_before": "Finishes before",
}


async def find_related(call: Call, item_id: str) -> tuple[list[Row], bool]:
    """The visible work items that it is related to, each with the `group` that it stands in; whether there are
    more of them."""
    found = await list_related(call, item_id, [*INVERSES, CUSTOM], limit=MAX_RELATED + 1)
    custom = {row["definition_id"] for row in found if row["kind"] == CUSTOM}
    active = {key: one for key, one in (await find_definitions(call, custom)).items() if one["is_active"]}
    rows = [row | {"group": _group_of(row, active)} for row in found[:MAX_RELATED]]
    return [row for row in rows if row["group"]], len(found) > MAX_RELATED


def _group_of(row: Row, active: Mapping[str, Row]) -> str:
    """The relation's words; "" for one of a definition that isn't in use."""
    if row["kind"] != CUSTOM:
        return WORDS[name_side(row["kind"], is_related=bool(row["is_related"]))]
    definition = active.get(row["definition_id"])
    if definition is None:
        return ""
    words: str = definition["inward" if row["is_related"] else "outward"]
    return words[:1].upper() + words[1:]


def group_related(rows: Sequence[Row], named: Mapping[str, Row]) -> list[dict[str, Any]]:
    """The relations by their words: first the ones that every workspace has, then the workspace's own."""
    order = dict.fromkeys((*WORDS.values(), *sorted(row["group"] for row in rows)))
    groups = [
        {
            "words": words,
            "entries": [named[row["id"]] for row in rows if row["group"] == words and row["id"] in named],
        }
        for words in order
    ]
    return [group for group in groups if group["entries"]]


async def name_items(call: Call, here: str, ids: Iterable[str]) -> dict[str, Row]:
    """Id → key, name, state and address of the work item; those that the person doesn't see are missing."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    seen = in_visible_projects(call, work_items.c.project_id)
    keys = {
        "workspace_id": call.workspace_id,
        "here": call.project_id if call.project else None,
        "ids": wanted,
    }
    rows = await call.reader.fetch_all(_named(seen.clauses), **seen.params, **keys)
    return {row["id"]: _show(here, row) for row in rows}


def _show(here: str, row: Row) -> Row:
    key = f"{row['identifier']}-{row['sequence_id']}"
    state = {"name": row["state_name"], "group": row["state_group"], "color": show_color(row["state_color"])}
    href = item_href(here, key, row["id"])
    return {"key": key, "name": row["name"], "state": state, "href": href, "is_epic": bool(row["is_epic"])}


@lru_cache(8)
def _named(seen: tuple[sa.ColumnElement[bool], ...]) -> Statement:
    item, project, state, kind = work_items.c, projects.c, states.c, work_item_types.c
    source = (
        work_items.join(
            projects, sa.and_(project.workspace_id == item.workspace_id, project.id == item.project_id)
        )
        .join(states, sa.and_(state.workspace_id == item.workspace_id, state.id == item.state_id))
        .outerjoin(work_item_types, sa.and_(kind.workspace_id == item.workspace_id, kind.id == item.type_id))
    )
    is_here = item.project_id == sa.bindparam("here", type_=Id())
    return Statement(
        sa.select(
            item.id,
            item.name,
            item.sequence_id,
            project.identifier,
            state.name.label("state_name"),
            state.group.label("state_group"),
            state.color.label("state_color"),
            kind.is_epic,
        )
        .select_from(source)
        .where(
            tenant(work_items),
            any_of(item.id, "ids"),
            *list_conditions(work_items),
            sa.or_(is_here, sa.and_(*seen)),
        )
    )
