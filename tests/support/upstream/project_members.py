"""Who is in a project. A removed member keeps the row; API v1 can't bring it back, the internal API can."""

from tests.support.upstream.access import ADMIN, membership, project_of, role_in, workspace_of
from tests.support.upstream.accounts import V1_USER, lite_user
from tests.support.upstream.fields import Choice, Reference, check
from tests.support.upstream.props import PREFERENCES, PROJECT_VIEW
from tests.support.upstream.routing import Credential, Routes, v1_project, web_project
from tests.support.upstream.store import Row, pick
from tests.support.upstream.wire import Answer, Call, Refusal, invalid_payload, missing, no_content

v1 = v1_project()
web = web_project()
workspace = Routes("/api/workspaces/<slug>/", Credential.SESSION)
ROLES = (5, 15, 20)
WEB_SHOWN = "id role member project original_role created_at"
V1_SHOWN = "id member role"


def new_member(project: Row, user: str, role: int) -> Row:
    return {
        "role": role,
        "original_role": role,
        "member": user,
        "project": project["id"],
        "workspace": project["workspace"],
        "comment": None,
        "view_props": PROJECT_VIEW,
        "default_props": PROJECT_VIEW,
        "preferences": PREFERENCES,
        "sort_order": 65535.0,
        "is_active": True,
    }


def _all_active(call: Call, project: str) -> list[Row]:
    return call.site.store.project_members.newest(project=project, is_active=True)


def _active(call: Call, project: str) -> list[Row]:
    """Without bots."""
    users, rows = call.site.store.users.rows, _all_active(call, project)
    return [row for row in rows if not users[row["member"]]["is_bot"]]


@v1("GET", "{members}/")
def list_members_by_key(call: Call) -> list[Row]:
    project = project_of(call)
    return [pick(call.site.store.users.rows[row["member"]], V1_USER) for row in _active(call, project["id"])]


@v1("POST", "{members}/")
def add_member_by_key(call: Call) -> Answer:
    project, store = project_of(call, ADMIN), call.site.store
    fields = {"member": Reference(required=True, table=store.users), "role": Choice(choices=ROLES)}
    values = check(call.body, fields)
    if membership(call, {"id": project["workspace"]}, values["member"]) is None:
        raise Refusal(400, {"member": ["Member not found in workspace"]})
    if store.project_members.first(project=project["id"], member=values["member"]):
        raise invalid_payload()
    made = store.project_members.insert(
        by=call.user["id"], **new_member(project, values["member"], values.get("role", 5))
    )
    return Answer(pick(made, V1_SHOWN), 201)


def _member_of_path(call: Call, least: int = 5) -> Row:
    project = project_of(call, least)
    row = call.site.store.project_members.find(call.params["member"], project=project["id"])
    if row is None:
        raise missing()
    return row


@v1("GET", "{members}/<member>/")
def show_member_by_key(call: Call) -> Row:
    return pick(call.site.store.users.rows[_member_of_path(call)["member"]], V1_USER)


@v1("PATCH", "{members}/<member>/")
def change_member_by_key(call: Call) -> Row:
    """Only the role changes: a removed member stays removed, whatever is sent."""
    row = _member_of_path(call, ADMIN)
    role = check(call.body, {"role": Choice(choices=ROLES)}).get("role", row["role"])
    return pick(call.site.store.project_members.update(row, by=call.user["id"], role=role), V1_SHOWN)


@v1("DELETE", "{members}/<member>/")
def remove_member_by_key(call: Call) -> Answer:
    call.site.store.project_members.update(_member_of_path(call, ADMIN), is_active=False)
    return no_content()


@web("GET", "members/")
def list_members(call: Call) -> list[Row]:
    return [pick(row, WEB_SHOWN) for row in _active(call, project_of(call)["id"])]


@workspace("GET", "project-members/")
def list_members_of_all_projects(call: Call) -> Row:
    """Of the projects that the caller is in."""
    found = workspace_of(call)
    mine = call.site.store.project_members.all(workspace=found["id"], member=call.user["id"], is_active=True)
    shown = "id role member original_role created_at"
    return {
        own["project"]: [pick(row, shown) for row in _all_active(call, own["project"])]
        for own in mine
        if call.site.store.projects.find(own["project"])
    }


@web("POST", "members/")
def add_members(call: Call) -> Answer:
    project, store = project_of(call, ADMIN), call.site.store
    made = []
    for entry in call.body.get("members", []):
        user, role = entry["member_id"], entry.get("role", 5)
        in_workspace = role_in(membership(call, {"id": project["workspace"]}, user))
        if role > in_workspace:
            raise Refusal(400, {"error": "You cannot add a user with role higher than the workspace role"})
        earlier = store.project_members.first(project=project["id"], member=user)
        if earlier:
            made.append(store.project_members.update(earlier, role=role, is_active=True))
        else:
            made.append(store.project_members.insert(**new_member(project, user, role)))
    return Answer([pick(row, WEB_SHOWN) for row in made], 201)


CHANGED = (
    "id created_at updated_at deleted_at comment role view_props default_props preferences "
    "sort_order is_active created_by updated_by"
)


@web("PATCH", "members/<member>/")
def change_member(call: Call) -> Row:
    row, store = _member_of_path(call, ADMIN), call.site.store
    role = check(call.body, {"role": Choice(choices=ROLES)}).get("role", row["role"])
    store.project_members.update(row, by=call.user["id"], role=role)
    lite_project = "id identifier name cover_image cover_image_url logo_props description"
    return {
        **pick(row, CHANGED),
        "workspace": pick(store.workspaces.rows[row["workspace"]], "name slug id logo_url"),
        "project": pick(store.projects.rows[row["project"]], lite_project),
        "member": lite_user(call.site, row["member"]),
    }


@web("DELETE", "members/<member>/")
def remove_member(call: Call) -> Answer:
    call.site.store.project_members.update(_member_of_path(call, ADMIN), is_active=False)
    return no_content()
