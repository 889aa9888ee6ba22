"""The triage state of a project, in which its work items wait in the intake; it is made with the first of them."""

import sqlalchemy as sa

from airside.db.base import Id
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.rest.call import Call
from airside.rest.gate import record_created
from airside.work.projects.states import STATES, STATES_V1, TRIAGE, TRIAGE_NAMES, new_state, states
from airside.work.unique_names import find_named

_COLOR, _SEQUENCE = "#4E5355", 65_000.0

_TRIAGE = Statement(
    sa.select(states.c.id)
    .where(
        tenant(states),
        states.c.project_id == sa.bindparam("project_id", type_=Id()),
        states.c.group == sa.literal_column(f"'{TRIAGE}'", sa.Text),
        live(states),
    )
    .order_by(states.c.sequence, states.c.id)
    .limit(1)
)


async def get_triage_state(call: Call) -> str:
    """Its id. A new one has an event as every state; two requests at once make one."""
    found = await _find(call)
    if found is None:
        await call.access.lock_workspace(call)
        found = await _find(call)
    return found or await _make(call)


async def _find(call: Call) -> str | None:
    return await call.reader.fetch_value(_TRIAGE, workspace_id=call.workspace_id, project_id=call.project_id)


async def _make(call: Call) -> str:
    """Also where the workspace owns the states: the intake's own is the project's."""
    usual, other = TRIAGE_NAMES
    name = other if await find_named(STATES, call, usual) else usual
    row = new_state(call, call.project_id, name=name, color=_COLOR, sequence=_SEQUENCE, group=TRIAGE)
    await call.writer.insert(states, row)
    await record_created(call, STATES_V1, row)
    return row["id"]
