"""Who owns the states, the workspace or its projects: what happens when its feature flag is turned on or off.

Turned on, the states of the projects become the workspace's: those of the same name and group are one. A name that
stands for two groups gets the group's name behind it. Turned off, every project keeps its states as its own.
"""

from collections.abc import Collection, Sequence
from itertools import chain, count
from typing import Any

import sqlalchemy as sa

from airside.db.base import Row, new_id
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.rest.call import Call
from airside.rest.computed import compute
from airside.rest.gate import record_created, record_deleted
from airside.rest.verbs import store_changes
from airside.runtime.site import Site
from airside.work.projects.states import DEFAULT_STATES, TRIAGE_NAMES, slug_of, states
from airside.work.projects.tables import projects
from airside.work.state_catalog import list_catalog, make_like, workspace_states
from airside.work.workspace_flags import STATES_OWNED
from airside.work.workspace_states import WORKSPACE_STATES_V1

_OF_PROJECTS = Statement(
    sa.select(states)
    .join(
        projects,
        sa.and_(projects.c.workspace_id == states.c.workspace_id, projects.c.id == states.c.project_id),
    )
    .where(tenant(states), live(states), live(projects), states.c.is_triage.is_(sa.false()))
    .order_by(states.c.created_at, states.c.sequence, states.c.id)
    .with_for_update(of=states)
)
_RELEASE = Statement(
    sa.update(states)
    .where(tenant(states), states.c.workspace_state_id.is_not(None))
    .values(workspace_state_id=None)
)


def watch_state_ownership(site: Site) -> None:
    """Follow the workspace's feature flag, in the transaction that changes it."""
    site.change_hooks.add("workspace.features.updated", change_owner)


async def change_owner(call: Call, before: Row | None, after: Row) -> None:
    if before is None or before[STATES_OWNED] == after[STATES_OWNED]:
        return
    await (_give_to_workspace(call) if after[STATES_OWNED] else _give_to_projects(call))


async def _give_to_workspace(call: Call) -> None:
    found = await call.reader.fetch_all(_OF_PROJECTS, workspace_id=call.workspace_id)
    catalog: dict[tuple[str, str], Row] = {}
    names, taken = [*TRIAGE_NAMES], {state["name"] for state in found}
    for state in found or _plain_defaults():
        key = (state["name"], state["group"])
        if key not in catalog:
            names.append(_free_name(state, names, taken))
            catalog[key] = _new_state(call, state, names[-1])
    for state in catalog.values():
        await call.writer.insert(workspace_states, state)
        await record_created(call, WORKSPACE_STATES_V1, state)
    for state in found:
        await make_like(call, state, catalog[state["name"], state["group"]])


async def _give_to_projects(call: Call) -> None:
    """The copies stay as they are."""
    rows = await list_catalog(call)
    await call.writer.execute(_RELEASE, workspace_id=call.workspace_id)
    await compute(WORKSPACE_STATES_V1.record.computed, call, rows)
    for row in rows:
        await store_changes(WORKSPACE_STATES_V1, call, row, {"deleted_at": call.now})
        await record_deleted(call, WORKSPACE_STATES_V1, row)


def _plain_defaults() -> list[Row]:
    """What a workspace without projects starts with."""
    return [
        {"name": name, "color": color, "sequence": sequence, "group": group, "description": ""}
        for name, color, sequence, group in DEFAULT_STATES
    ]


def _new_state(call: Call, like: Row, name: str) -> Row:
    row: dict[str, Any] = {column: like[column] for column in ("description", "color", "sequence", "group")}
    return row | {
        "workspace_id": call.workspace_id,
        "id": new_id(),
        "name": name,
        "slug": slug_of(name),
        "external_source": None,
        "external_id": None,
        "created_at": call.now,
        "updated_at": call.now,
        "deleted_at": None,
        "created_by_id": call.caller.user_id,
        "updated_by_id": None,
    }


def _free_name(like: Row, used: Sequence[str], taken: Collection[str]) -> str:
    """Its own name, unless another group's state has that; then one that is no project's either."""
    if like["name"] not in used:
        return like["name"]
    longer = f"{like['name']} ({like['group']})"
    names = chain([longer], (f"{longer} {number}" for number in count(2)))
    return next(name for name in names if name not in used and name not in taken)
