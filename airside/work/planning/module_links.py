"""The links between modules and work items; apart from their routes, since a work item's body may name a module."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from airside.db.base import Row
from airside.errors import FeatureOff, Refused
from airside.events.outbox import Change
from airside.rest.body import Body, Uuid
from airside.rest.call import Call
from airside.rest.computed import Computed
from airside.rest.face import Face, Shown
from airside.rest.record import Parent, Record
from airside.rest.verbs import store_record
from airside.rest.wires.v1.wire import V1
from airside.work.planning.plan_history import find_name, record_added, record_removed
from airside.work.planning.tables import module_work_items, modules
from airside.work.work_items.children import load_children


class ModuleWorkItemsIn(Body):
    issues: list[Uuid]


class ModuleWorkItemOut(Shown):
    id: str
    sub_issues_count: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    created_by: str | None
    updated_by: str | None
    project: str
    workspace: str
    issue: str
    module: str


class ModuleWorkItems(Record):
    noun = "Module work item"
    table = module_work_items
    event = "module.workitem"
    feature = "modules"
    parents = (Parent("module_id", modules, "module_id"),)
    computed = {"sub_issues_count": Computed(load=load_children, empty=0)}

    async def after_event(self, call: Call, action: str, row: Row, changes: Sequence[Change], /) -> None:
        name = await find_name(call, modules, row["module_id"])
        if action == "created":
            await record_added(call, row, "module", row["module_id"], name)
        else:
            await record_removed(call, [row], "module", row["module_id"], name)


class NamedModuleWorkItems(ModuleWorkItems):
    """Links whose module the body of a work item names, and not the path."""

    parents = ()


MODULE_LINKS_V1 = Face(
    ModuleWorkItems(),
    wire=V1,
    path="projects/{project_id}/modules/{module_id}/module-issues",
    key="issue_id",
    verbs=(),
    body=ModuleWorkItemsIn,
    shown=ModuleWorkItemOut,
    scope="projects.modules",
)
_NAMED = replace(MODULE_LINKS_V1, record=NamedModuleWorkItems())


async def add_to_module(call: Call, work_item_id: str, module_id: str) -> None:
    """Put the work item into a module that was found; it may be there already. Raises FeatureOff, and Refused for
    an archived one."""
    if not call.access.is_feature_on(call, "modules"):
        raise FeatureOff("modules", "project")
    module = await call.writer.lock(modules, workspace_id=call.workspace_id, id=module_id)
    if module is None or module["archived_at"] is not None:
        raise Refused("Archived module cannot be updated")
    link = {"module_id": module_id, "issue_id": work_item_id}
    known = await call.reader.find_all(module_work_items, workspace_id=call.workspace_id, **link)
    if all(row["deleted_at"] for row in known):
        await store_record(_NAMED, call, link)
