"""The workspace's projects that the person may see, and creating one."""

import re
import unicodedata
from typing import Any

import sqlalchemy as sa
from falcon.asgi import Request, Response

from airside.db.base import Row
from airside.db.conditions import tenant
from airside.db.database import Reader
from airside.db.statements import Statement, any_of
from airside.errors import WHOLE_BODY, Conflict, Forbidden, Invalid, Refused
from airside.portal.forms import Form
from airside.portal.pagination import cut_page, read_page
from airside.portal.rendering import redirect
from airside.portal.visit import first_sentences
from airside.portal.work import operations
from airside.portal.work.acting import Work, WorkPage
from airside.portal.work.presentation import show_project
from airside.portal.work.records import first_workspace_path
from airside.work.access import PUBLIC
from airside.work.work_items.tables import listed, work_items

PER_PAGE = 50
NETWORKS = [("2", "Everybody in the workspace"), ("0", "Only its members")]
SUGGESTED_LENGTH = 5  # letters of a suggested identifier


class Projects(WorkPage):
    """GET /<workspace>/projects/?page=N&archived=1"""

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        work = await self.enter(req, resp, slug)
        here = f"{work.here}/projects/"
        page = read_page(req, here, PER_PAGE)
        query = {"order_by": "name", "per_page": PER_PAGE, "cursor": f"{PER_PAGE}:{page.number - 1}:0"}
        answer = await work.perform(operations.LIST_PROJECTS, query=query)
        found: list[Row] = answer["results"]
        page, found = cut_page(page, found)
        counts = await _count_items(self.site.db, work.visit.workspace_id, [row["id"] for row in found])
        work.visit.show(
            "work/projects.html",
            projects=[_show(work, row, counts) for row in found],
            records_path=first_workspace_path(work),
            can_create=work.visit.role >= operations.CREATE_PROJECT.role,
            page=page._replace(has_more=answer["next_page_results"]).links(),
        )


class NewProject(WorkPage):
    """GET and POST /<workspace>/projects/new/"""

    creates = True

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        work = await self.enter(req, resp, slug)
        if work.visit.role < operations.CREATE_PROJECT.role:
            raise Forbidden(f"Guests of {work.visit.workspace['name']} can't make projects.")
        _show_form(work, {"network": str(PUBLIC)})

    async def on_post(self, req: Request, resp: Response, slug: str) -> None:
        work, form = await self.take_form(req, resp, slug)
        body = read_project(form)
        if not body["identifier"]:
            body["identifier"] = suggest_identifier(body["name"])
        try:
            made = await work.perform(operations.CREATE_PROJECT, body=body)
        except (Invalid, Conflict) as error:
            _show_form(work, body | {"network": form.text("network")}, project_errors(error))
            return
        work.visit.go(f"{work.here}/projects/{made['id']}/work-items/", "project_made")


class ProjectHome(WorkPage):
    """GET /<workspace>/projects/<id>/"""

    async def on_get(self, req: Request, resp: Response, slug: str, project_id: str) -> None:
        work = await self.enter(req, resp, slug)
        call = await work.enter(operations.SHOW_PROJECT, {"project_id": project_id})
        project = show_project(work.here, call.project, call.project_role)
        if call.project_role:
            redirect(self.site, resp, project["href"])
            return
        work.visit.show("work/join.html", project=project, description=call.project["description"])


class JoinProject(WorkPage):
    """POST /<workspace>/projects/<id>/join/: a workspace member joins a public project"""

    async def on_post(self, req: Request, resp: Response, slug: str, project_id: str) -> None:
        work, _ = await self.take_form(req, resp, slug)
        here = f"{work.here}/projects/{project_id}/"
        try:
            await work.perform(operations.JOIN, {"project_id": project_id})
        except Refused:  # a member already, or archived meanwhile
            redirect(self.site, resp, here)
            return
        work.visit.go(f"{here}work-items/", "project_joined")


def read_project(form: Form) -> dict[str, Any]:
    """The form as the API's request body."""
    network = form.text("network")
    return {
        "name": form.text("name").strip(),
        "identifier": form.text("identifier").strip().upper(),
        "description": form.text("description").strip(),
        "network": int(network) if network in ("0", "2") else PUBLIC,
    }


def project_errors(error: Invalid | Conflict) -> dict[str, str]:
    """Errors for the form: those about the whole are shown at the identifier."""
    if isinstance(error, Conflict):
        sentence = "Another project has this name or this identifier."
        return {"name": sentence}
    return first_sentences(error, {WHOLE_BODY: "identifier"})


def suggest_identifier(name: str) -> str:
    """Engine → ENGIN, Order to Cash → OTC."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.findall(r"[A-Za-z0-9]+", plain)
    initials = "".join(word[0] for word in words)
    return (initials if len(words) > 2 else "".join(words))[:SUGGESTED_LENGTH].upper()


def _show_form(work: Work, filled: dict[str, Any], errors: dict[str, str] | None = None) -> None:
    work.visit.show(
        "work/new_project.html",
        status=422 if errors else 200,
        filled=filled,
        errors=errors or {},
        networks=NETWORKS,
    )


def _show(work: Work, project: Row, counts: dict[str, int]) -> dict[str, Any]:
    role = 20 if work.visit.is_admin else project["member_role"] or 0
    return show_project(work.here, project, role) | {
        "description": project["description"][:200],
        "logo_url": "",
        "member_count": project["total_members"],
        "work_item_count": counts.get(project["id"], 0),
        "is_secret": project["network"] != PUBLIC,
        "can_open": role > 0,
        "can_join": role == 0 and not project["archived_at"],
    }


async def _count_items(reader: Reader, workspace_id: str, ids: list[str]) -> dict[str, int]:
    rows = await reader.fetch_all(_WORK_ITEMS, workspace_id=workspace_id, ids=ids)
    return {row["project_id"]: row["total"] for row in rows}


_w = work_items.c
_WORK_ITEMS = Statement(
    sa.select(_w.project_id, sa.func.count().label("total"))
    .where(tenant(work_items), any_of(_w.project_id, "ids"), listed)
    .group_by(_w.project_id)
)
