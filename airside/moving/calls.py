"""The call with which an import stores a record: by its author, at its time, with every right in the workspace."""

from airside.db.base import Row
from airside.errors import NotFound
from airside.moving.families import Family, project_of
from airside.moving.translate import read_kept
from airside.rest.call import Call, Caller
from airside.rest.record import ADMIN
from airside.runtime.site import Site
from airside.system.clock import read_instant
from airside.work.access import RoleAccess
from airside.work.projects.tables import projects


class ImportAccess(RoleAccess):
    """Of an operator, whom neither roles nor features that are off keep from bringing what there was."""

    def __init__(self, workspace: Row) -> None:
        super().__init__()
        self.workspace = workspace

    async def enter_workspace(self, call: Call, slug: str) -> None:
        call.workspace, call.workspace_role = self.workspace, ADMIN

    async def enter_project(self, call: Call, project_id: str) -> None:
        keys = {"workspace_id": self.workspace["id"], "id": project_id}
        found = await call.reader.find(projects, **keys)
        if found is None or found["deleted_at"] is not None:
            raise NotFound
        call.project, call.project_role = found, ADMIN

    def is_feature_on(self, call: Call, name: str) -> bool:
        return True


async def make_call(site: Site, access: ImportAccess, user_id: str, row: Row) -> Call:
    """`row` has the ids of here; the call is made when it was."""
    now = site.clock.now()
    created = row.get("created_at")
    at = read_instant(created) if isinstance(created, str) else None
    caller = Caller(user_id=user_id, kind="session", budget="", workspace_id=access.workspace["id"])
    call = Call(site, access, caller, min(at or now, now), "POST", {}, {}, is_import=True)
    await access.enter_workspace(call, access.workspace["slug"])
    project_id = project_of(row)
    if project_id is not None:
        await access.enter_project(call, project_id)
    call.path = {"workspace_slug": access.workspace["slug"], "project_id": project_id or ""}
    return call


async def call_to_create(site: Site, access: ImportAccess, admin_id: str, family: Family, row: Row) -> Call:
    """By the row's author; the admin where it has none."""
    call = await make_call(site, access, row.get(family.author) or admin_id, row)
    call.path |= {name: row[field] for name, field in family.above.items()}
    call.kept = read_kept(family, row)
    return call
