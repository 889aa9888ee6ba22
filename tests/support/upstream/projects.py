"""Projects, in the words of both APIs."""

from typing import Any

from tests.support.upstream.access import (
    ADMIN,
    GUEST,
    MEMBER,
    find_workspace,
    membership,
    project_membership,
    project_of,
    role_in,
    visible_projects,
    workspace_of,
)
from tests.support.upstream.announcements import announce, announce_changes
from tests.support.upstream.expansion import expand
from tests.support.upstream.fields import (
    Choice,
    Field,
    Number,
    Reference,
    Text,
    check,
    plain,
    refuse_together,
)
from tests.support.upstream.pagination import one, page_of
from tests.support.upstream.project_members import new_member
from tests.support.upstream.props import COLORS, ICONS
from tests.support.upstream.routing import Credential, Routes
from tests.support.upstream.site import Site
from tests.support.upstream.states import create_default_states
from tests.support.upstream.store import Row, copied, next_order, pick
from tests.support.upstream.wire import (
    Answer,
    Call,
    Refusal,
    broken,
    forbidden,
    missing,
    no_content,
    not_permitted,
)

v1 = Routes("/api/v1/workspaces/<slug>/projects/", Credential.KEY)
web = Routes("/api/workspaces/<slug>/projects/", Credential.SESSION)
mine = Routes("/api/users/me/workspaces/<slug>/", Credential.SESSION)

OWN = (
    "created_at updated_at deleted_at name description description_text description_html network "
    "identifier emoji icon_prop module_view cycle_view issue_views_view page_view intake_view "
    "is_time_tracking_enabled is_issue_type_enabled guest_view_all_features cover_image "
    "archive_in close_in logo_props archived_at timezone external_source external_id created_by "
    "updated_by workspace default_assignee project_lead cover_image_asset estimate default_state"
)
LISTED = (
    "id name identifier logo_props archived_at workspace cycle_view issue_views_view module_view "
    "page_view guest_view_all_features project_lead network created_at updated_at created_by "
    "updated_by"
)
WEB_LITE = "id identifier name cover_image cover_image_url logo_props description"
FLAGS = [
    "module_view",
    "cycle_view",
    "issue_views_view",
    "page_view",
    "intake_view",
    "is_time_tracking_enabled",
    "is_issue_type_enabled",
    "guest_view_all_features",
]


def project_fields(site: Site) -> dict[str, Field]:
    users = site.store.users
    people = {name: Reference(table=users) for name in ("default_assignee", "project_lead")}
    ranges = {name: Number(most=12) for name in ("archive_in", "close_in")}
    words = plain("logo_props", "external_source", "external_id", "timezone", "emoji", "cover_image", *FLAGS)
    return {
        "name": Text(required=True, longest=255),
        "identifier": Text(required=True, longest=12),
        "description": Text(blank=True),
        "network": Choice(choices=(0, 2)),
        **people,
        **ranges,
        **words,
    }


def new_project(workspace: Row, values: Row) -> Row:
    none = (
        "description_text description_html emoji icon_prop cover_image cover_image_url "
        "archived_at external_source external_id default_assignee project_lead cover_image_asset "
        "estimate default_state"
    )
    return {
        **dict.fromkeys(none.split()),
        **dict.fromkeys(FLAGS, False),
        "page_view": True,
        "description": "",
        "network": 2,
        "archive_in": 0,
        "close_in": 0,
        "logo_props": {},
        "timezone": "UTC",
        "workspace": workspace["id"],
        "sequence": 0,
        **values,
    }


def create_project(site: Site, workspace: Row, by: str, **values: Any) -> Row:
    project = site.store.projects.insert(by=by, **new_project(workspace, values))
    site.store.project_members.insert(**new_member(project, by, ADMIN))
    lead = project["project_lead"]
    if lead and lead != by:
        site.store.project_members.insert(**new_member(project, lead, ADMIN))
    create_default_states(site, project, by)
    return project


def _refuse_taken(call: Call, workspace: Row, values: Row, but: str | None = None) -> None:
    for name in ("name", "identifier"):
        taken = call.site.store.projects.first(workspace=workspace["id"], **{name: values.get(name)})
        if taken and taken["id"] != but:
            raise Refusal(409, {"name": "The project name is already taken"})


def _checked(call: Call, workspace: Row, but: str | None = None) -> Row:
    values = check(call.body, project_fields(call.site), partial=but is not None)
    identifier = values.get("identifier", "X")
    if not identifier.isalnum():
        raise refuse_together("Project identifier cannot contain special characters.")
    lead = values.get("project_lead")
    if lead and membership(call, workspace, lead) is None:
        raise Refusal(400, {"project_lead": ["The provided user is not a member of this workspace."]})
    _refuse_taken(call, workspace, values, but)
    return values


def _active(site: Site, project: Row) -> list[Row]:
    return site.store.project_members.newest(project=project["id"], is_active=True)


def _people(site: Site, project: Row) -> list[Row]:
    return [row for row in _active(site, project) if not site.store.users.rows[row["member"]]["is_bot"]]


def v1_shown(call: Call, project: Row, listed: bool = False) -> Row:
    store, row_id = call.site.store, project["id"]
    member = project_membership(call, row_id)
    order = {"sort_order": member["sort_order"] if member else None} if listed else {}
    return {
        "id": row_id,
        "total_members": len(_people(call.site, project)),
        "total_cycles": len(store.cycles.all(project=row_id)),
        "total_modules": len(store.modules.all(project=row_id)),
        "is_member": member is not None,
        **order,
        "member_role": member["role"] if member else None,
        "is_deployed": False,
        "cover_image_url": project["cover_image_url"],
        **pick(project, OWN),
    }


def web_shown(call: Call, project: Row) -> Row:
    member = project_membership(call, project["id"])
    return {
        "id": project["id"],
        "is_favorite": False,
        "sort_order": member["sort_order"] if member else None,
        "member_role": member["role"] if member else None,
        "anchor": None,
        "members": [row["member"] for row in _people(call.site, project)],
        "cover_image_url": project["cover_image_url"],
        "inbox_view": project["intake_view"],
        "next_work_item_sequence": project["sequence"] + 1,
        **pick(project, OWN),
    }


@v1("GET", "")
def list_projects_by_key(call: Call) -> Row:
    workspace = workspace_of(call)
    projects = sorted(visible_projects(call, workspace), key=lambda p: _own_order(call, p))
    order = call.query.get("order_by")
    if order:
        name = order.removeprefix("-")
        if name not in OWN.split():
            raise broken()
        projects.sort(key=lambda p: p[name], reverse=order.startswith("-"))
    names = ("workspace", "project_lead", "default_assignee")
    return page_of(call, projects, lambda p: expand(call, v1_shown(call, p, listed=True), *names))


def _own_order(call: Call, project: Row) -> tuple[float, Any]:
    member = project_membership(call, project["id"])
    return (member["sort_order"] if member else float("inf"), project["created_at"])


@v1("POST", "")
def create_project_by_key(call: Call) -> Answer:
    workspace = workspace_of(call, MEMBER)
    values = _checked(call, workspace)
    values["logo_props"] = {
        "icon": {"name": call.site.choose(*ICONS), "color": call.site.choose(*COLORS)},
        "in_use": "icon",
    }
    project = create_project(call.site, workspace, call.user["id"], **values)
    announce(call, "project", "created", project)
    return Answer(v1_shown(call, project), 201)


def _project_to_read(call: Call) -> Row:
    """A public project is read by everybody in the workspace."""
    workspace = workspace_of(call)
    project = call.site.store.projects.find(call.params["project"], workspace=workspace["id"])
    if project is None:
        raise missing()
    if project["network"] == 0 and project_membership(call, project["id"]) is None:
        raise forbidden()
    return project


@v1("GET", "<project>/")
def show_project_by_key(call: Call) -> Row:
    names = ("workspace", "project_lead", "default_assignee")
    return one(call, expand(call, v1_shown(call, _project_to_read(call)), *names))


def _change(call: Call, project: Row) -> None:
    workspace = find_workspace(call) or {}
    if project["archived_at"]:
        raise Refusal(400, {"error": "Archived project cannot be updated"})
    before = copied(project)
    values = _checked(call, workspace, but=project["id"])
    call.site.store.projects.update(project, by=call.user["id"], **values)
    announce_changes(call, "project", project, before, call.body)


@v1("PATCH", "<project>/")
def change_project_by_key(call: Call) -> Row:
    project = project_of(call, ADMIN)
    _change(call, project)
    return v1_shown(call, project)


def delete_project(call: Call, project: Row) -> None:
    store, row_id = call.site.store, project["id"]
    visible = [state for state in store.states.all(project=row_id) if state["group"] != "triage"]
    store.states.delete(*visible)
    store.project_members.delete(*store.project_members.all(project=row_id))
    store.issues.delete(*store.issues.all(project=row_id))
    store.projects.delete(project)
    announce(call, "project", "deleted", project)


@v1("DELETE", "<project>/")
def delete_project_by_key(call: Call) -> Answer:
    delete_project(call, project_of(call, ADMIN))
    return no_content()


@v1("POST DELETE", "<project>/archive/")
def archive_project(call: Call) -> Answer:
    project = project_of(call, ADMIN)
    now = call.site.clock.now() if call.method == "POST" else None
    call.site.store.projects.update(project, archived_at=now)
    return no_content()


@v1("GET", "<project>/summary/")
def summarize_project(call: Call) -> Row:
    workspace, store = workspace_of(call), call.site.store
    project = store.projects.find(call.params["project"], workspace=workspace["id"])
    if project is None:
        raise Refusal(404, {"error": "Project not found"})
    within = {"project": project["id"]}
    counts = {
        "cycles": len(store.cycles.all(**within)),
        "modules": len(store.modules.all(**within)),
        "issues": len(store.issues.all(**within)),
        "labels": len(store.labels.all(**within)),
        "states": len([state for state in store.states.all(**within) if state["group"] != "triage"]),
        "intakes": len(store.intake_issues.all(**within)),
        "members": len(_people(call.site, project)),
        "pages": len(store.project_pages.all(**within)),
    }
    names = call.query.get("fields", "").split(",") if call.query.get("fields") else list(counts)
    shown = {name: count for name, count in counts.items() if name in names}
    return {**pick(project, "id name identifier"), "counts": shown}


@web("GET", "")
def list_projects(call: Call) -> list[Row]:
    workspace = workspace_of(call)
    return [_shown_in_list(call, project) for project in visible_projects(call, workspace)]


def _shown_in_list(call: Call, project: Row) -> Row:
    member = project_membership(call, project["id"])
    return {
        **pick(project, LISTED),
        "member_role": member["role"] if member else None,
        "intake_count": 0,
        "inbox_view": project["intake_view"],
        "sort_order": member["sort_order"] if member else None,
    }


@web("GET", "details/")
def list_projects_in_detail(call: Call) -> list[Row]:
    workspace = workspace_of(call)
    projects = sorted(visible_projects(call, workspace), key=lambda p: _own_order(call, p))
    return [web_shown(call, project) for project in projects]


@web("POST", "")
def create_project_by_session(call: Call) -> Answer:
    workspace = workspace_of(call, MEMBER)
    values, members = _checked(call, workspace), call.site.store.project_members
    order = next_order(members.all(workspace=workspace["id"], member=call.user["id"]), step=-10000.0)
    project = create_project(call.site, workspace, call.user["id"], **values)
    members.first(project=project["id"], member=call.user["id"]).update(sort_order=order)  # type: ignore[union-attr]
    announce(call, "project", "created", project)
    return Answer(web_shown(call, project), 201)


@web("PATCH", "<project>/")
def change_project(call: Call) -> Row:
    project = project_of(call, ADMIN)
    _change(call, project)
    return web_shown(call, project)


@web("DELETE", "<project>/")
def delete_project_by_session(call: Call) -> Answer:
    delete_project(call, project_of(call, ADMIN))
    return no_content()


@mine("GET", "project-roles/")
def my_project_roles(call: Call) -> Row:
    workspace = workspace_of(call)
    rows = call.site.store.project_members.newest(
        workspace=workspace["id"], member=call.user["id"], is_active=True
    )
    return {row["project"]: row["role"] for row in rows}


@mine("POST", "projects/invitations/")
def join_public_projects(call: Call) -> Answer:
    """By oneself, with the role that one has in the workspace."""
    workspace = workspace_of(call)
    role = role_in(membership(call, workspace))
    for row_id in call.body.get("project_ids", []):
        project = call.site.store.projects.find(row_id, workspace=workspace["id"])
        if project is None or project["network"] == 0 or role == GUEST:
            raise not_permitted()
        join_project(call.site, project, call.user["id"], role)
    return Answer({"message": "Projects joined successfully"}, 201)


def join_project(site: Site, project: Row, user: str, role: int) -> Row:
    """A membership, or the earlier one again."""
    table = site.store.project_members
    earlier = table.first(project=project["id"], member=user)
    if earlier:
        return table.update(earlier, is_active=True, role=role)
    return table.insert(**new_member(project, user, role))
