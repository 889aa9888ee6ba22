"""Keeps people, workspaces, memberships and projects as the Community Edition says they are, under its ids.

Whoever learns of them (a sign-in, a consent, an event) stores that here, in its own transaction; what changed
comes back, for whoever makes events of it. The Community Edition decides: no rule of ours refuses what it says."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec
import sqlalchemy as sa

from airside.db.base import Id, Instant, Row, new_id
from airside.db.conditions import live, tenant
from airside.db.database import Transaction
from airside.db.statements import Statement
from airside.identity.revocations import revocations
from airside.identity.tables import users
from airside.identity.users import new_user_row
from airside.runtime.site import Site
from airside.work.projects.tables import project_members, projects
from airside.workspaces.tables import workspace_members, workspaces

UNKNOWN_DOMAIN = "people.airside.invalid"  # of people whose address isn't shown (RFC 2606)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """GET /api/users/me/, and a member of a list."""

    id: str
    email: str | None = None
    first_name: str = ""
    last_name: str = ""
    display_name: str = ""
    avatar: str | None = None
    avatar_url: str | None = None
    is_bot: bool = False
    user_timezone: str = "UTC"


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """One of GET /api/users/me/workspaces/."""

    id: str
    name: str
    slug: str
    owner: str
    logo_url: str | None = None
    role: int = 0  # of who asked
    created_at: datetime
    updated_at: datetime


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """One of GET /api/workspaces/{slug}/projects/, or of API v1's list."""

    id: str
    name: str
    identifier: str
    network: int
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None
    logo_props: Any = None
    project_lead: str | None = None
    description: str = ""
    emoji: str | None = None
    cover_image: str | None = None
    module_view: bool = True
    cycle_view: bool = True
    issue_views_view: bool = True
    page_view: bool = True
    inbox_view: bool = False
    guest_view_all_features: bool = False
    created_by: str | None = None


class Difference(NamedTuple):
    """One row that changed: `before` is None for a new one, `after` for one that is gone."""

    kind: Literal["person", "workspace", "member", "project", "project_member"]
    before: Row | None
    after: Row | None


async def mirror_person(tx: Transaction, person: Person, now: datetime) -> list[Difference]:
    """Whether the address is theirs is the Community Edition's to check, so here it counts as proven."""
    email = (person.email or f"{person.id}@{UNKNOWN_DOMAIN}").strip().lower()
    before = await tx.find(users, id=person.id)
    if before is not None and not person.email:
        email = before["email"]
    values: Row = {
        "email": email,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "display_name": person.display_name or email.partition("@")[0],
        "avatar": person.avatar or "",
        "avatar_url": person.avatar_url,
        "timezone": person.user_timezone,
    }
    if before is not None and _is_same(before, values):
        return []
    if before is None or before["email"] != email:
        await _release_email(tx, email, person.id)
    if before is None:
        after = new_user_row(email, values["display_name"], now) | values
        after |= {"id": person.id, "email_proven_at": now}
        await tx.insert(users, after)
    else:
        after = before | values | {"updated_at": now}
        await tx.update(users, values | {"updated_at": now}, id=person.id)
    return [Difference("person", before, after)]


async def _release_email(tx: Transaction, email: str, new_owner_id: str) -> None:
    """Of an account that was deleted there, or renamed: another has the address now."""
    former = await tx.find(users, email=email)
    if former is not None and former["id"] != new_owner_id:
        await tx.update(users, {"email": f"{former['id']}@{UNKNOWN_DOMAIN}"}, id=former["id"])


async def mirror_workspaces(
    tx: Transaction, site: Site, user_id: str, listed: Sequence[Workspace]
) -> list[Difference]:
    """The workspaces of a person, with their role in each; a membership that isn't listed any more ends."""
    now = site.clock.now()
    found: list[Difference] = []
    for workspace in listed:
        found += await _put_workspace(tx, workspace)
        found += await mirror_member(tx, site, workspace.id, user_id, workspace.role, now)
    kept = {workspace.id for workspace in listed}
    for row in await tx.fetch_all(_MEMBERSHIPS, user_id=user_id):
        if row["workspace_id"] not in kept:
            found += await mirror_member(tx, site, row["workspace_id"], user_id, 0, now)
    return found


async def _put_workspace(tx: Transaction, workspace: Workspace) -> list[Difference]:
    before = await tx.find(workspaces, id=workspace.id)
    values: Row = {
        "name": workspace.name,
        "slug": workspace.slug,
        "logo_url": workspace.logo_url,
        "owner_id": workspace.owner,
        "deleted_at": None,
    }
    if before is not None and _is_same(before, values):
        return []
    values["updated_at"] = workspace.updated_at
    await _release_slug(tx, workspace)
    if before is not None:
        await tx.update(workspaces, values, id=workspace.id)
        return [Difference("workspace", before, before | values)]
    after: Row = {
        "id": workspace.id,
        **values,
        "features": {},
        "created_at": workspace.created_at,
        "created_by_id": workspace.owner,
        "updated_by_id": None,
    }
    await tx.insert(workspaces, after)
    return [Difference("workspace", None, after)]


async def _release_slug(tx: Transaction, workspace: Workspace) -> None:
    """Of a workspace that was deleted there: another has the slug now."""
    former = await tx.find(workspaces, slug=workspace.slug)
    if former is not None and former["id"] != workspace.id:
        changes: Row = {"slug": f"{workspace.slug}-{former['id'][:8]}", "deleted_at": workspace.created_at}
        await tx.update(workspaces, changes, id=former["id"])


async def mirror_member(
    tx: Transaction, site: Site, workspace_id: str, user_id: str, role: int, now: datetime
) -> list[Difference]:
    """The person's role in the workspace. 0 ends the membership, those of its projects and all grants to apps."""
    before = await tx.find(workspace_members, workspace_id=workspace_id, user_id=user_id)
    if role == 0:
        return await _end_member(tx, site, before, now) if before and before["is_active"] else []
    values: Row = {"role": role, "is_active": True, "deleted_at": None}
    if before is not None and _is_same(before, values):
        return []
    values |= {"updated_at": now, "updated_by_id": None}
    revocations.record(tx)  # a cached caller has the role from before
    if before is not None:
        await tx.update(workspace_members, values, workspace_id=workspace_id, id=before["id"])
        return [Difference("member", before if before["is_active"] else None, before | values)]
    after: Row = {
        "workspace_id": workspace_id,
        "id": new_id(),
        "user_id": user_id,
        **values,
        "created_at": now,
        "created_by_id": None,
    }
    await tx.insert(workspace_members, after)
    return [Difference("member", None, after)]


async def _end_member(tx: Transaction, site: Site, before: Row, now: datetime) -> list[Difference]:
    workspace_id, user_id = before["workspace_id"], before["user_id"]
    ended: Row = {"is_active": False, "deleted_at": now, "updated_at": now, "updated_by_id": None}
    await tx.update(workspace_members, ended, workspace_id=workspace_id, id=before["id"])
    found = [Difference("member", before, None)]
    for row in await tx.fetch_all(_PROJECT_ROLES, workspace_id=workspace_id, user_id=user_id):
        found += await _end_project_member(tx, row, now)
    await site.tokens.revoke_of_user(tx, user_id, "membership_ended", now, workspace_id)
    revocations.record(tx)
    return found


async def mirror_projects(
    tx: Transaction, workspace_id: str, listed: Sequence[Project], *, is_complete: bool, now: datetime
) -> list[Difference]:
    """`is_complete`: whether who listed them sees every project, so that one which isn't listed is gone."""
    known = {row["id"]: row for row in await tx.fetch_all(_PROJECTS, workspace_id=workspace_id)}
    found: list[Difference] = []
    for project in listed:
        found += await _put_project(tx, workspace_id, project, known.get(project.id))
    if is_complete:
        kept = {project.id for project in listed}
        for row in known.values():
            if row["id"] not in kept:
                found += await _end_project(tx, row, now)
    return found


async def _end_project(tx: Transaction, row: Row, now: datetime) -> list[Difference]:
    """With its memberships, which are no differences of their own."""
    workspace_id = row["workspace_id"]
    ended = {"deleted_at": now, "updated_at": now}
    await tx.update(projects, ended, workspace_id=workspace_id, id=row["id"])
    await tx.execute(_END_MEMBERS, workspace_id=workspace_id, project_id=row["id"], now=now)
    revocations.record(tx)
    return [Difference("project", row, None)]


async def _put_project(
    tx: Transaction, workspace_id: str, project: Project, known: Row | None
) -> list[Difference]:
    """`known`: the row, if it isn't deleted. Read for all of a workspace at once, since most are as they were."""
    before = known or await tx.find(projects, workspace_id=workspace_id, id=project.id)
    values: Row = {
        "name": project.name,
        "identifier": project.identifier,
        "network": project.network,
        "archived_at": project.archived_at,
        "logo_props": project.logo_props,
        "project_lead_id": project.project_lead,
        "deleted_at": None,
    }
    if before is not None and _is_same(before, values):
        return []
    values["updated_at"] = project.updated_at
    await _release_names(tx, workspace_id, project)
    if before is not None:
        await tx.update(projects, values, workspace_id=workspace_id, id=project.id)
        return [Difference("project", before, before | values)]
    after = _new_project(workspace_id, project) | values
    await tx.insert(projects, after)
    return [Difference("project", None, after)]


async def _release_names(tx: Transaction, workspace_id: str, project: Project) -> None:
    """Two projects that swap their names are read one after the other."""
    for row in await tx.fetch_all(
        _SAME_NAMES,
        workspace_id=workspace_id,
        id=project.id,
        name=project.name,
        identifier=project.identifier,
    ):
        mark = row["id"][-6:]
        changes = {"name": f"{row['name']} ({mark})", "identifier": f"{row['identifier']}-{mark}"}
        await tx.update(projects, changes, workspace_id=workspace_id, id=row["id"])


def _new_project(workspace_id: str, project: Project) -> Row:
    """With what pages and pickers don't show at its default: the rest of it is read from the Community Edition."""
    return {
        "workspace_id": workspace_id,
        "id": project.id,
        "description": project.description,
        "description_text": None,
        "description_html": None,
        "emoji": project.emoji,
        "icon_prop": None,
        "cover_image": project.cover_image,
        "module_view": project.module_view,
        "cycle_view": project.cycle_view,
        "issue_views_view": project.issue_views_view,
        "page_view": project.page_view,
        "intake_view": project.inbox_view,
        "is_time_tracking_enabled": False,
        "is_issue_type_enabled": False,
        "guest_view_all_features": project.guest_view_all_features,
        "more_features": {},
        "archive_in": 0,
        "close_in": 0,
        "timezone": "UTC",
        "default_assignee_id": None,
        "default_state_id": None,
        "estimate_id": None,
        "last_sequence": 0,
        "created_at": project.created_at,
        "created_by_id": project.created_by,
        "updated_by_id": None,
        "external_source": None,
        "external_id": None,
    }


async def mirror_project_roles(
    tx: Transaction, workspace_id: str, user_id: str, roles: Mapping[str, int], now: datetime
) -> list[Difference]:
    """All projects that the person is a member of, with the role in each."""
    found: list[Difference] = []
    known = {
        row["project_id"]: row
        for row in await tx.fetch_all(_PROJECT_ROLES, workspace_id=workspace_id, user_id=user_id)
    }
    for project_id, role in roles.items():
        found += await _put_project_member(
            tx, workspace_id, project_id, user_id, role, known.get(project_id), now
        )
    for project_id, row in known.items():
        if project_id not in roles:
            found += await _end_project_member(tx, row, now)
    if found:
        revocations.record(tx)
    return found


async def _put_project_member(
    tx: Transaction,
    workspace_id: str,
    project_id: str,
    user_id: str,
    role: int,
    before: Row | None,
    now: datetime,
) -> list[Difference]:
    if before is not None:
        if before["role"] == role:
            return []
        changes: Row = {"role": role, "updated_at": now}
        await tx.update(project_members, changes, workspace_id=workspace_id, id=before["id"])
        return [Difference("project_member", before, before | changes)]
    after: Row = {
        "workspace_id": workspace_id,
        "id": new_id(),
        "project_id": project_id,
        "member_id": user_id,
        "role": role,
        "created_at": now,
        "updated_at": now,
        "deleted_at": None,
        "created_by_id": None,
        "updated_by_id": None,
    }
    await tx.insert(project_members, after)
    return [Difference("project_member", None, after)]


async def _end_project_member(tx: Transaction, row: Row, now: datetime) -> list[Difference]:
    ended = {"deleted_at": now, "updated_at": now}
    await tx.update(project_members, ended, workspace_id=row["workspace_id"], id=row["id"])
    return [Difference("project_member", row, None)]


def _is_same(row: Row, values: Row) -> bool:
    return all(row[name] == value for name, value in values.items())


_MEMBERSHIPS = Statement(
    sa.select(workspace_members).where(
        workspace_members.c.user_id == sa.bindparam("user_id"), workspace_members.c.is_active
    )
)
_PROJECTS = Statement(sa.select(projects).where(tenant(projects), live(projects)))
_PROJECT_ROLES = Statement(
    sa.select(project_members).where(
        tenant(project_members),
        project_members.c.member_id == sa.bindparam("user_id"),
        live(project_members),
    )
)
_END_MEMBERS = Statement(
    sa.update(project_members)
    .where(
        tenant(project_members),
        project_members.c.project_id == sa.bindparam("project_id", type_=Id()),
        live(project_members),
    )
    .values(deleted_at=sa.bindparam("now", type_=Instant()), updated_at=sa.bindparam("now", type_=Instant()))
)
_SAME_NAMES = Statement(
    sa.select(projects.c.id, projects.c.name, projects.c.identifier).where(
        tenant(projects),
        live(projects),
        projects.c.id != sa.bindparam("id"),
        sa.or_(projects.c.name == sa.bindparam("name"), projects.c.identifier == sa.bindparam("identifier")),
    )
)
