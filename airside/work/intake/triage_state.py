"""The triage state of a project, in which its work items wait in the intake; it is made with the first of them."""

from typing import Any

import sqlalchemy as sa

from airside.db.base import Id
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.rest.call import Call
from airside.rest.verbs import store_record
from airside.work.projects.states import STATES, STATES_V1, TRIAGE, states
from airside.work.unique_names import find_named

NAMES = ("Triage", "Triage of the intake")  # Plane's; the other one where a state of another group has it
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
    usual, other = NAMES
    sent: dict[str, Any] = {
        "name": other if await find_named(STATES, call, usual) else usual,
        "description": "",
        "color": _COLOR,
        "sequence": _SEQUENCE,
        "group": TRIAGE,
        "is_triage": True,
        "default": False,
        "external_source": None,
        "external_id": None,
    }
    return (await store_record(STATES_V1, call, sent))["id"]
