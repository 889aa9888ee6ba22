"""Workspaces, invitations to them, and their members."""

import re

from tests.support.upstream.access import ADMIN, MEMBER, find_workspace, membership, role_in, workspace_of
from tests.support.upstream.accounts import LITE_USER, V1_USER, create_user, lite_user
from tests.support.upstream.fields import Choice, Text, check, refuse_together
from tests.support.upstream.project_members import new_member
from tests.support.upstream.projects import create_project
from tests.support.upstream.props import ISSUE_PROPS, WORKSPACE_VIEW
from tests.support.upstream.routing import Credential, Routes
from tests.support.upstream.site import Site
from tests.support.upstream.store import Row, pick
from tests.support.upstream.wire import Answer, Call, Refusal, missing, no_content, not_permitted

mine = Routes("/api/users/me/", Credential.SESSION)
web = Routes("/api/workspaces/", Credential.SESSION)
v1 = Routes("/api/v1/workspaces/<slug>/", Credential.KEY)
v1_unlimited = Routes("/api/v1/workspaces/<slug>/", Credential.KEY, limited=False)

WORKSPACE = (
    "id logo_url created_at updated_at deleted_at name logo slug organization_size timezone "
    "background_color created_by updated_by logo_asset owner"
)
MEMBERSHIP = (
    "id created_at updated_at deleted_at role company_role view_props default_props issue_props "
    "is_active getting_started_checklist tips explored_features created_by updated_by workspace"
)
INVITATION = "id email role created_at updated_at responded_at accepted"
ROLES = (5, 15, 20)
SEED_LOGO = {
    "emoji": {
        "url": "https://cdn.jsdelivr.net/npm/emoji-datasource-apple/img/apple/64/1f447.png",
        "value": "128071",
    },
    "in_use": "emoji",
}


def create_workspace(site: Site, owner: Row, name: str, slug: str, size: str = "") -> Row:
    blank = dict.fromkeys(("logo_url", "logo", "logo_asset"))
    workspace = site.store.workspaces.insert(
        by=owner["id"],
        **blank,
        name=name,
        slug=slug,
        organization_size=size,
        timezone="UTC",
        background_color="#a7c5d4",
        owner=owner["id"],
    )
    join_workspace(site, workspace, owner["id"], ADMIN)
    if site.settings.seeds_project:
        site.worker.add(lambda: seed_project(site, workspace))
    return workspace


def seed_project(site: Site, workspace: Row) -> None:
    """The project that a bot of Plane's makes some time later in each new workspace."""
    address, names = f"bot_user_{workspace['id']}@plane.so", {"first_name": "Plane", "display_name": "Plane"}
    bot = create_user(site, address, "", **names, is_bot=True, bot_type="WORKSPACE_SEED")
    join_workspace(site, workspace, bot["id"], ADMIN)
    views = {"cycle_view": True, "module_view": True, "issue_views_view": True}
    identifier = re.sub("[^A-Z0-9]", "", workspace["slug"].upper())[:12]
    project = create_project(
        site, workspace, bot["id"], name=workspace["name"], identifier=identifier, **views
    )
    project.update(logo_props=SEED_LOGO)
    site.store.project_members.insert(**new_member(project, workspace["owner"], ADMIN))


def join_workspace(site: Site, workspace: Row, user: str, role: int) -> Row:
    """A membership, or the earlier one again."""
    table = site.store.workspace_members
    earlier = table.first(workspace=workspace["id"], member=user)
    if earlier:
        return table.update(earlier, is_active=True, role=role)
    return table.insert(
        by=user,
        role=role,
        company_role=None,
        view_props=WORKSPACE_VIEW,
        default_props=WORKSPACE_VIEW,
        issue_props=ISSUE_PROPS,
        is_active=True,
        getting_started_checklist={},
        tips={},
        explored_features={},
        workspace=workspace["id"],
        member=user,
    )


def lite_workspace(workspace: Row) -> Row:
    return pick(workspace, "name slug id logo_url")


def _active_members(site: Site, workspace: Row) -> list[Row]:
    return site.store.workspace_members.newest(workspace=workspace["id"], is_active=True)


def _is_bot(site: Site, member: Row) -> bool:
    return site.store.users.rows[member["member"]]["is_bot"]


@web("POST", "")
def make_workspace(call: Call) -> Answer:
    values = check(
        call.body, {"name": Text(required=True, longest=80), "slug": Text(required=True, longest=48)}
    )
    if call.site.store.workspaces.first(slug=values["slug"]):
        raise Refusal(409, {"slug": "The workspace with the slug already exists"})
    size = call.body.get("organization_size", "")
    workspace = create_workspace(call.site, call.user, values["name"], values["slug"], size)
    return Answer(pick(workspace, WORKSPACE) | {"total_members": 1, "role": ADMIN}, 201)


@mine("GET", "workspaces/")
def my_workspaces(call: Call) -> list[Row]:
    shown = []
    for member in call.site.store.workspace_members.all(member=call.user["id"], is_active=True):
        workspace = call.site.store.workspaces.rows[member["workspace"]]
        people = [row for row in _active_members(call.site, workspace) if not _is_bot(call.site, row)]
        counts = {"total_members": len(people), "role": member["role"]}
        shown.append(pick(workspace, WORKSPACE) | counts)
    return shown


@v1_unlimited("POST", "invitations/")
def invite(call: Call) -> Answer:
    workspace = workspace_of(call, ADMIN)
    values = check(call.body, {"email": Text(required=True), "role": Choice(choices=ROLES)})
    email = values["email"].lower()
    invites = call.site.store.workspace_member_invites
    if invites.first(workspace=workspace["id"], email=email, accepted=False):
        raise refuse_together("Email already invited")
    made = invites.insert(
        by=call.user["id"],
        email=email,
        role=values.get("role", 5),
        accepted=False,
        token="",
        message=None,
        responded_at=None,
        workspace=workspace["id"],
    )
    return Answer(pick(made, INVITATION), 201)


@v1_unlimited("GET", "invitations/")
def list_invitations(call: Call) -> list[Row]:
    workspace = workspace_of(call, ADMIN)
    rows = call.site.store.workspace_member_invites.newest(workspace=workspace["id"])
    return [pick(row, INVITATION) for row in rows]


@v1_unlimited("DELETE", "invitations/<invitation>/")
def withdraw_invitation(call: Call) -> Answer:
    workspace = workspace_of(call, ADMIN)
    invites = call.site.store.workspace_member_invites
    row = invites.find(call.params["invitation"], workspace=workspace["id"])
    if row is None:
        raise missing()
    invites.delete(row)
    return no_content()


@mine("GET", "workspaces/invitations/")
def my_invitations(call: Call) -> list[Row]:
    rows = call.site.store.workspace_member_invites.newest(email=call.user["email"])
    return [_shown_invitation(call, row) for row in rows]


def _shown_invitation(call: Call, row: Row) -> Row:
    workspace = call.site.store.workspaces.rows[row["workspace"]]
    link = f"/workspace-invitations/?invitation_id={row['id']}&slug={workspace['slug']}&token={row['token']}"
    stamps = "id created_at updated_at deleted_at created_by updated_by"
    names = f"{stamps} email accepted token message responded_at role"
    return pick(row, names) | {"workspace": lite_workspace(workspace), "invite_link": link}


@mine("POST", "workspaces/invitations/")
def accept_invitations(call: Call) -> Answer:
    """Matched by e-mail; what was accepted is gone."""
    site = call.site
    for row_id in call.body.get("invitations", []):
        row = site.store.workspace_member_invites.find(row_id, email=call.user["email"])
        if row is not None:
            join_workspace(site, site.store.workspaces.rows[row["workspace"]], call.user["id"], row["role"])
            site.store.workspace_member_invites.delete(row)
    return no_content()


@v1("GET", "members/")
def list_members_by_key(call: Call) -> list[Row]:
    workspace = workspace_of(call, MEMBER)
    users = call.site.store.users.rows
    members = _active_members(call.site, workspace)
    return [pick(users[member["member"]], V1_USER) | {"role": member["role"]} for member in members]


@web("GET", "<slug>/members/")
def list_members(call: Call) -> list[Row]:
    workspace = workspace_of(call)
    return [_shown_member(call, member) for member in _active_members(call.site, workspace)]


def _shown_member(call: Call, member: Row) -> Row:
    user = call.site.store.users.rows[member["member"]]
    person = pick(user, LITE_USER)
    if role_in(membership(call, find_workspace(call))) >= MEMBER:
        person |= pick(user, "email last_login_medium")
    shown = pick(member, MEMBERSHIP)
    return {"id": shown.pop("id"), "member": person, **shown}


def _member_of_path(call: Call) -> Row:
    workspace = workspace_of(call, ADMIN)
    row = call.site.store.workspace_members.find(
        call.params["member"], workspace=workspace["id"], is_active=True
    )
    if row is None:
        raise missing()
    return row


@web("PATCH", "<slug>/members/<member>/")
def change_member(call: Call) -> Row:
    member = _member_of_path(call)
    role = check(call.body, {"role": Choice(choices=ROLES)}).get("role", member["role"])
    call.site.store.workspace_members.update(member, by=call.user["id"], role=role)
    return {
        **pick(member, MEMBERSHIP),
        "member": lite_user(call.site, member["member"]),
    }


@web("DELETE", "<slug>/members/<member>/")
def remove_member(call: Call) -> Answer:
    member = _member_of_path(call)
    end_membership(call, member)
    return no_content()


@web("POST", "<slug>/members/leave/")
def leave(call: Call) -> Answer:
    workspace = workspace_of(call)
    end_membership(call, membership(call, workspace) or {})
    return no_content()


def end_membership(call: Call, member: Row) -> None:
    """In the workspace and in all of its projects."""
    store = call.site.store
    store.workspace_members.update(member, by=call.user["id"], is_active=False)
    for row in store.project_members.all(workspace=member["workspace"], member=member["member"]):
        store.project_members.update(row, is_active=False)


@web("GET", "<slug>/workspace-members/me/")
def my_membership(call: Call) -> Row:
    member = membership(call, find_workspace(call))
    if member is None:
        raise not_permitted()
    return {"draft_issue_count": 0, **pick(member, MEMBERSHIP + " member")}


@web("GET", "<slug>/entity-search/")
def search_mentions(call: Call) -> Row:
    """Of people: those in the project, or the workspace, whose name has the words; no bots."""
    workspace = workspace_of(call)
    project, words = call.query.get("project_id"), call.query.get("query", "").lower()
    if project:
        rows = call.site.store.project_members.all(workspace=workspace["id"], project=project, is_active=True)
    else:
        rows = _active_members(call.site, workspace)
    people = [call.site.store.users.rows[row["member"]] for row in rows]
    found = [user for user in people if words in user["display_name"].lower() and not user["is_bot"]]
    return {"user_mention": [_mentionable(user) for user in found[: int(call.query.get("count", 5))]]}


def _mentionable(user: Row) -> Row:
    names = ("display_name", "id", "avatar_url")
    return {f"member__{name}": user[name] for name in names}
