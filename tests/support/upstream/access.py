"""Who may do what: roles in workspaces and projects."""

from tests.support.upstream.store import Row
from tests.support.upstream.wire import Call, forbidden, missing, not_permitted

GUEST, MEMBER, ADMIN = 5, 15, 20


def find_workspace(call: Call) -> Row | None:
    return call.site.store.workspaces.first(slug=call.params["slug"])


def membership(call: Call, workspace: Row | None, user: str | None = None) -> Row | None:
    if workspace is None:
        return None
    user = user or call.user["id"]
    return call.site.store.workspace_members.first(workspace=workspace["id"], member=user, is_active=True)


def project_membership(call: Call, project: str, user: str | None = None) -> Row | None:
    """Of somebody who is still in the workspace too."""
    return call.site.store.project_members.first(
        project=project, member=user or call.user["id"], is_active=True
    )


def role_in(member: Row | None) -> int:
    return member["role"] if member else 0


def _refusal(call: Call) -> Exception:
    return forbidden() if call.is_v1 else not_permitted()


def workspace_of(call: Call, least: int = GUEST) -> Row:
    """The workspace of the path, for a member with at least this role. Raises Refusal 403."""
    workspace = find_workspace(call)
    if workspace is None or role_in(membership(call, workspace)) < least:
        raise _refusal(call)
    return workspace


def project_of(call: Call, least: int = GUEST) -> Row:
    """The project of the path, for one of its members with at least this role. Raises Refusal 403."""
    workspace = workspace_of(call)
    project = call.site.store.projects.find(call.params["project"], workspace=workspace["id"])
    if project is None or role_in(project_membership(call, project["id"])) < least:
        raise _refusal(call)
    return project


def visible_projects(call: Call, workspace: Row) -> list[Row]:
    """Public ones for everybody but guests, and those that the caller is in."""
    role = role_in(membership(call, workspace))
    return [
        project
        for project in call.site.store.projects.all(workspace=workspace["id"])
        if (project["network"] == 2 and role > GUEST) or project_membership(call, project["id"])
    ]


def item_of(call: Call, least: int = GUEST) -> Row:
    """The work item of the path. Raises Refusal 403 or 404."""
    project = project_of(call, least)
    item = call.site.store.issues.find(call.params["item"], project=project["id"])
    if item is None:
        raise missing()
    return item
