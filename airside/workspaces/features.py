"""The feature flags of a workspace: GET and PATCH …/features/."""

from typing import Any

from airside.audit.record import record_audit
from airside.errors import Invalid
from airside.events.outbox import compare
from airside.rest.body import Body
from airside.rest.call import Call
from airside.rest.face import Shown
from airside.rest.gate import record_act
from airside.rest.record import ADMIN
from airside.rest.route import Route
from airside.rest.verbs import in_transaction
from airside.rest.wires.v1.paths import WORKSPACE
from airside.workspaces.create import FEATURES
from airside.workspaces.tables import workspaces

MIGRATED = "states_owned_by_workspace"  # only a migration changes it, never a request


class FeaturesIn(Body):
    project_grouping: bool = False
    initiatives: bool = False
    teams: bool = False
    customers: bool = False
    wiki: bool = False
    pi: bool = False
    work_item_types: bool = False
    releases: bool = False
    states_owned_by_workspace: bool = False


class FeaturesOut(Shown):
    project_grouping: bool
    initiatives: bool
    teams: bool
    customers: bool
    wiki: bool
    pi: bool
    work_item_types: bool
    releases: bool
    states_owned_by_workspace: bool


async def show_features(call: Call) -> Any:
    """Every flag."""
    return FEATURES | call.workspace["features"]


async def update_features(call: Call) -> Any:
    """Set the given flags. Raises Invalid for one that a request can't change."""

    async def work() -> dict[str, bool]:
        row = await call.writer.lock(workspaces, id=call.workspace_id)
        assert row is not None  # the guard has checked access
        before = FEATURES | row["features"]
        after = before | call.body
        if after[MIGRATED] != before[MIGRATED]:
            raise Invalid({MIGRATED: ["Only a migration of the workspace's states can change this."]})
        if after != before:
            stamps = {"updated_at": call.now, "updated_by_id": call.caller.user_id}
            await call.writer.update(workspaces, {"features": after} | stamps, id=call.workspace_id)
            await _record_update(call, before, after)
        return after

    return await in_transaction(call, work)


async def _record_update(call: Call, before: dict[str, bool], after: dict[str, bool]) -> None:
    shown = {"id": call.workspace_id, **after}
    previous, changes = compare(before, after)
    await record_act(
        call,
        "workspace.features.updated",
        call.workspace_id,
        data=shown,
        data_v2=shown,
        previous=previous,
        changes=changes,
    )
    await record_audit(
        call.writer,
        "workspace.policy_changed",
        call.now,
        workspace_id=call.workspace_id,
        actor_id=call.caller.user_id,
        target=("workspace", call.workspace_id),
        details={"changes": {name: [old, after[name]] for name, old in previous.items()}},
    )


FEATURE_ROUTES = [
    Route(
        method="GET",
        path=WORKSPACE + "features",
        handler=show_features,
        scope="workspaces.features:read",
        name="retrieve_workspace_features",
        summary="Show which features a workspace uses",
        shown=FeaturesOut,
    ),
    Route(
        method="PATCH",
        path=WORKSPACE + "features",
        handler=update_features,
        scope="workspaces.features:write",
        name="update_workspace_features",
        summary="Turn features of a workspace on and off",
        role=ADMIN,
        body=FeaturesIn,
        partial=True,
        shown=FeaturesOut,
        event="workspace.features.updated",
    ),
]
