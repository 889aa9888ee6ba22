"""A project in Acme to tell stories about."""

from airside.db.base import new_id
from airside.runtime.site import Site
from airside.work.projects.projects import PROJECTS_V1
from airside.work.projects.tables import project_members, projects
from tests.cast import Cast
from tests.support.api import serve_api


async def make_project(site: Site, cast: Cast, name: str = "Engine", **fields: object) -> str:
    """A project of Ana's, and its id; Ben is a member of it, as `fields` of its body say the rest."""
    async with serve_api(site, PROJECTS_V1).acting_as(cast.ana["id"]) as ana:
        body = {"name": name, "identifier": name[:5].upper()} | fields
        answer = await ana.post("workspaces/acme/projects", body)
    assert answer.status_code == 201, answer.json
    await join_project(site, cast, answer.json["id"], cast.ben["id"], 15)
    return answer.json["id"]


async def join_project(site: Site, cast: Cast, project_id: str, user_id: str, role: int) -> str:
    """A membership that a story begins with, and its id."""
    now = site.clock.now()
    row = {
        "workspace_id": cast.acme["id"],
        "id": new_id(),
        "project_id": project_id,
        "member_id": user_id,
        "role": role,
        "created_at": now,
        "updated_at": now,
        "created_by_id": cast.ana["id"],
    }
    async with site.db.transaction() as tx:
        await tx.insert(project_members, row)
    return row["id"]


async def archive(site: Site, project_id: str) -> None:
    async with site.db.transaction() as tx:
        await tx.update(projects, {"archived_at": site.clock.now()}, id=project_id)
