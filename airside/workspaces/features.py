"""The feature flags of a workspace: GET and PATCH …/features/."""

from collections.abc import Callable, Sequence

from airside.audit.record import record_audit
from airside.db.base import Row
from airside.events.outbox import Change
from airside.rest.body import Body
from airside.rest.call import Call
from airside.rest.computed import Computed
from airside.rest.face import Face, Shown
from airside.rest.record import ADMIN, Level, Record
from airside.rest.singleton import singleton_routes
from airside.rest.wires.v1.wire import V1
from airside.workspaces.create import FEATURES
from airside.workspaces.tables import workspaces


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


def _is_on(name: str) -> Callable[[Row], bool]:
    return lambda row: (FEATURES | row["features"])[name]


class Features(Record):
    """One row of workspaces, of which the flags in its JSON are the fields."""

    noun = "Workspace feature"
    table = workspaces
    tenant_column = "id"
    level = Level.WORKSPACE
    event = "workspace.features"
    unlisted = tuple(name for name in workspaces.c.keys() if name != "id")  # noqa: SIM118 - columns, not a dict
    computed = {name: Computed(of=_is_on(name), event_name=name) for name in FEATURES}
    write_role = ADMIN

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        changed = {name: value for name, value in changes.items() if value != row[name]}
        if changed:
            changes["features"] = FEATURES | row["features"] | changed

    async def after_event(self, call: Call, action: str, row: Row, changes: Sequence[Change], /) -> None:
        await record_audit(
            call.writer,
            "workspace.policy_changed",
            call.now,
            workspace_id=call.workspace_id,
            actor_id=call.caller.user_id,
            target=("workspace", call.workspace_id),
            details={"changes": {change.field: [change.old_value, change.new_value] for change in changes}},
        )


FEATURES_V1 = Face(
    Features(),
    wire=V1,
    path="features",
    key="workspace_id",
    body=FeaturesIn,
    shown=FeaturesOut,
    scope="workspaces.features",
    event_also={"id": "id"},
    verbs=(),
    summaries={
        "retrieve": "Show which features a workspace uses",
        "update": "Turn features of a workspace on and off",
    },
)
FEATURE_ROUTES = singleton_routes(FEATURES_V1, "workspace features")
