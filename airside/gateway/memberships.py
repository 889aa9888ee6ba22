"""Where an account is a member: the workspace by invitation, projects by an admin's session.

API v1's own route adds to a project the first time only (after a removal it answers 400), so it isn't used."""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Any

from airside.errors import Invalid
from airside.gateway.client import Cookies, Key, Reply, UpstreamClient, UpstreamRefused
from airside.gateway.install_errors import InvitationLeft, refusal_of, require_ok

GUEST, MEMBER, ADMIN = 5, 15, 20
AT_ONCE = 8  # requests of one admin


async def invite(client: UpstreamClient, slug: str, by: Key, email: str, role: int) -> str:
    """The id of the account's one invitation, an earlier one if there is. No mail is sent."""
    path = f"/api/v1/workspaces/{slug}/invitations/"
    made = await client.send("POST", path, by, json={"email": email, "role": role})
    if made.status == 400:
        found = await find_invitation(client, slug, by, email)
        if found is None:
            raise InvitationLeft
        if found["role"] == role:
            return found["id"]
        await withdraw(client, slug, by, found["id"])
        made = await client.send("POST", path, by, json={"email": email, "role": role})
    return require_ok(made, "invite an account").json()["id"]


async def find_invitation(client: UpstreamClient, slug: str, by: Key, email: str) -> dict[str, Any] | None:
    path = f"/api/v1/workspaces/{slug}/invitations/"
    listed = require_ok(await client.get(path, by), "list invitations").json()
    return next((one for one in listed if one["email"] == email and not one["accepted"]), None)


async def withdraw(client: UpstreamClient, slug: str, by: Key, invitation_id: str) -> None:
    """Idempotent."""
    reply = await client.send("DELETE", f"/api/v1/workspaces/{slug}/invitations/{invitation_id}/", by)
    if reply.status != 404:
        require_ok(reply, "withdraw an invitation")


async def accept(client: UpstreamClient, session: Cookies, invitation_id: str) -> Reply:
    """Matched by the e-mail; one that is gone is ignored there."""
    body = {"invitations": [invitation_id]}
    path = "/api/users/me/workspaces/invitations/"
    return require_ok(await client.send("POST", path, session, json=body), "accept an invitation")


async def find_membership(client: UpstreamClient, slug: str, session: Cookies) -> dict[str, Any] | None:
    """The account's own in the workspace."""
    reply = await client.get(f"/api/workspaces/{slug}/workspace-members/me/", session)
    return None if reply.status in (403, 404) else require_ok(reply, "read a membership").json()


async def set_role(client: UpstreamClient, slug: str, admin: Cookies, membership_id: str, role: int) -> None:
    path = f"/api/workspaces/{slug}/members/{membership_id}/"
    require_ok(await client.send("PATCH", path, admin, json={"role": role}), "change an account's role")


async def leave_workspace(client: UpstreamClient, slug: str, session: Cookies) -> None:
    """With all of its projects. Idempotent."""
    if await find_membership(client, slug, session) is not None:
        reply = await client.send("POST", f"/api/workspaces/{slug}/members/leave/", session)
        require_ok(reply, "leave a workspace")


async def remove_from_workspace(client: UpstreamClient, slug: str, admin: Cookies, user_id: str) -> None:
    """As an admin does it in the Community Edition's own pages. Idempotent."""
    path = f"/api/workspaces/{slug}/members/"
    listed = require_ok(await client.get(path, admin), "list members").json()
    for one in listed:
        if one["member"]["id"] == user_id:
            require_ok(await client.send("DELETE", f"{path}{one['id']}/", admin), "remove an account")


async def choose_places(
    client: UpstreamClient,
    slug: str,
    admin: Cookies,
    project_ids: Sequence[str] | None,
    kept_ids: Sequence[str] = (),
) -> list[str]:
    """The projects to put an account into, which this person is an admin of: among the chosen ones, or all.

    Raises Invalid for a chosen one that they may not add anybody to, unless it is kept from before."""
    path = f"/api/users/me/workspaces/{slug}/project-roles/"
    roles: Mapping[str, int] = require_ok(await client.get(path, admin), "read project roles").json()
    mine = [project_id for project_id, role in roles.items() if role == ADMIN]
    if project_ids is None:
        return mine
    others = [project_id for project_id in project_ids if project_id not in (*mine, *kept_ids)]
    if others:
        raise Invalid({"projects": [await _words(client, slug, admin, others)]})
    return [project_id for project_id in project_ids if project_id in mine]


async def _words(client: UpstreamClient, slug: str, admin: Cookies, project_ids: Iterable[str]) -> str:
    listed = require_ok(await client.get(f"/api/workspaces/{slug}/projects/", admin), "list projects").json()
    names = {one["id"]: one["name"] for one in listed}
    shown = ", ".join(names.get(one, "a project that was deleted") for one in project_ids)
    return (
        f"In Plane only an admin of a project can add an app to it, and you are none of: {shown}. Leave these out,"
        " or ask one of their admins."
    )


async def put_in_projects(
    client: UpstreamClient,
    slug: str,
    admin: Cookies,
    user_id: str,
    wanted: Sequence[str],
    chosen: Sequence[str] | None,
) -> list[str]:
    """Add to the wanted projects, and take out of those that aren't chosen (None: all are) and that this person may
    change; returns where the account is then."""
    path = f"/api/workspaces/{slug}/project-members/"
    listed = require_ok(await client.get(path, admin), "list project members").json()
    present = {
        project_id: next((row["id"] for row in rows if row["member"] == user_id), None)
        for project_id, rows in listed.items()
    }
    present = {project_id: row_id for project_id, row_id in present.items() if row_id}
    added = [_add(client, slug, admin, one, user_id) for one in wanted if one not in present]
    gone = [] if chosen is None else [one for one in present if one not in chosen]
    await _all(added + [_remove(client, slug, admin, one, str(present[one])) for one in gone])
    return [one for one in {**present, **dict.fromkeys([*wanted, *(chosen or ())])} if one not in gone]


async def _add(client: UpstreamClient, slug: str, admin: Cookies, project_id: str, user_id: str) -> None:
    body = {"members": [{"member_id": user_id, "role": MEMBER}]}
    path = f"/api/workspaces/{slug}/projects/{project_id}/members/"
    require_ok(await client.send("POST", path, admin, json=body), "add to a project")


async def _remove(client: UpstreamClient, slug: str, admin: Cookies, project_id: str, row_id: str) -> None:
    """A project that this person isn't an admin of stays as it is: Airside doesn't let the app into it anyway."""
    path = f"/api/workspaces/{slug}/projects/{project_id}/members/{row_id}/"
    reply = await client.send("DELETE", path, admin)
    if reply.status not in (403, 404):
        require_ok(reply, "remove from a project")


async def _all(requests: Sequence[Awaitable[None]]) -> None:
    """All of them are tried; then the first failure is raised."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def run(request: Awaitable[None]) -> None:
        async with limit:
            await request

    failures = [one for one in await asyncio.gather(*map(run, requests), return_exceptions=True) if one]
    if failures:
        raise failures[0]


async def find_role(client: UpstreamClient, slug: str, key: Key, user_id: str | None) -> int:
    """The account's role in the workspace, by its own key; 0 when the key ended or it is no member."""
    reply = await client.get(f"/api/v1/workspaces/{slug}/members/", key)
    if reply.status in (401, 403, 404):
        return 0
    if not reply.is_ok:
        raise (
            refusal_of(reply, "check a key") if reply.status == 429 else UpstreamRefused(reply, "check a key")
        )
    return next((one["role"] for one in reply.json() if one["id"] == user_id), 0)
