"""What each migration does to existing rows, on both databases."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from airside.apps.tables import apps
from airside.audit.tables import audit_log
from airside.db.base import new_id
from airside.db.database import Database
from airside.db.migrate import migrate
from airside.db.statements import Statement
from airside.events.tables import events
from airside.installations.tables import installations
from airside.oauth.tables import access_tokens, device_requests, token_families
from airside.workspaces.tables import workspace_members
from tests.support.databases import fresh_postgres, opened

NOW = "2026-01-31 12:00:00+00:00"


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'before.db'}"
        return
    async with fresh_postgres() as found:
        yield found


async def insert(db: Database, table: str, **row: Any) -> None:
    """As an earlier version of Airside did, with other columns than today's."""
    columns = ", ".join(row)
    values = ", ".join("NULL" if value is None else repr(value) for value in row.values())
    async with db.transaction() as tx:
        await tx.execute(Statement(sa.text(f"INSERT INTO {table} ({columns}) VALUES ({values})")))


async def add_person(db: Database, email: str, made_by: str) -> str:
    user_id = new_id()
    stamps = {"created_at": NOW, "updated_at": NOW}
    await insert(db, "users", id=user_id, email=email, display_name="x", **stamps)
    about = {"target_kind": "user", "target_id": user_id, "details": "{}"}
    act = {"action": "user.created", "actor_kind": made_by, "actor_name": "", "address": "", "user_agent": ""}
    await insert(db, "audit_log", id=new_id(), created_at=NOW, **act, **about)
    return user_id


async def test_accounts_made_by_an_invitation_before_are_unproven(url: str) -> None:
    await migrate(url, "0002")
    async with opened(url) as db:
        made = await add_person(db, "ana@example.com", "operator")
        invited = await add_person(db, "eve@example.com", "person")
    await migrate(url)
    async with opened(url) as db:
        rows = await db.fetch_all(
            Statement(
                sa.text("SELECT id, email_proven_at FROM users").columns(
                    sa.column("id"), sa.column("email_proven_at")
                )
            )
        )
        proven = {str(row["id"]): row["email_proven_at"] for row in rows}
    assert proven[made] is not None
    assert proven[invited] is None


async def test_installations_of_the_command_line_are_retired_and_no_others(url: str) -> None:
    await migrate(url, "0007")
    stamps = {"created_at": NOW, "updated_at": NOW}
    place, person = new_id(), new_id()
    bots: dict[str, str] = {}
    async with opened(url) as db:
        for kind in ("built_in", "workspace"):
            app_id, installation_id, bots[kind] = new_id(), new_id(), new_id()
            await insert(
                db, "apps", id=app_id, client_id=kind, slug=kind, name=kind, registration=kind,
                redirect_uris='["http://127.0.0.1/"]', scopes="[]", webhook_secret_sealed="", **stamps,
            )  # fmt: skip
            await insert(
                db, "installations", id=installation_id, workspace_id=place, app_id=app_id,
                bot_user_id=bots[kind], installed_by_id=person, status="installed", scopes='[]', **stamps,
            )  # fmt: skip
            await insert(
                db,
                "workspace_members",
                workspace_id=place,
                id=new_id(),
                user_id=bots[kind],
                role=20,
                **stamps,
            )
            held = {
                "app_id": app_id, "installation_id": installation_id, "workspace_id": place,
                "user_id": person, "scopes": "[]", "created_at": NOW,
            }  # fmt: skip
            await insert(db, "token_families", id=new_id(), **held)
            await insert(db, "access_tokens", token_hash=kind, kind="user", expires_at=NOW, **held)
            await insert(
                db, "device_requests", id=new_id(), device_code_hash=kind, user_code_mac=kind, app_id=app_id,
                scopes="[]", source="", state="approved", interval_seconds=5, created_at=NOW, expires_at=NOW,
            )  # fmt: skip
    await migrate(url)
    async with opened(url) as db:
        kinds = {row["id"]: row["registration"] for row in await db.find_all(apps)}

        async def left(table: sa.Table, column: str) -> dict[str, Any]:
            return {kinds[row["app_id"]]: row[column] for row in await db.find_all(table)}

        assert await left(installations, "status") == {"built_in": "uninstalled", "workspace": "installed"}
        assert await left(token_families, "revoked_reason") == {"built_in": "uninstalled", "workspace": None}
        ended = await left(access_tokens, "revoked_at")
        assert ended["built_in"] is not None
        assert ended["workspace"] is None
        assert await left(device_requests, "state") == {"workspace": "approved"}
        members = {row["user_id"]: row["is_active"] for row in await db.find_all(workspace_members)}
        assert (members[bots["built_in"]], members[bots["workspace"]]) == (False, True)
        [cli] = [row for row in await db.find_all(apps) if row["registration"] == "built_in"]
        assert (cli["redirect_uris"], cli["scopes"]) == ([], ["profile:read"])
        [audited] = await db.find_all(audit_log)
        assert (audited["action"], audited["workspace_id"]) == ("app.uninstalled", place)
        assert await db.find_all(events) == []


async def add_lead(db: Database, workspace_id: str, role: int, *, member: int | None, **more: Any) -> str:
    """A project with a lead who has that role in the workspace, and where they belong to it in the project."""
    project_id, user_id, stamps = new_id(), new_id(), {"created_at": NOW, "updated_at": NOW}
    of = {"workspace_id": workspace_id, **stamps}
    is_active = more.pop("is_active", True)
    await insert(db, "workspace_members", id=new_id(), user_id=user_id, role=role, is_active=is_active, **of)
    flags = ("module_view", "cycle_view", "issue_views_view", "page_view", "intake_view")
    flags += ("is_time_tracking_enabled", "is_issue_type_enabled", "guest_view_all_features")
    project = {"name": project_id, "identifier": project_id, "description": "", "network": 2}
    project |= dict.fromkeys(flags, False) | {"more_features": "{}", "archive_in": 0, "close_in": 0}
    project |= {"timezone": "UTC", "last_sequence": 0, "project_lead_id": user_id}
    await insert(db, "projects", id=project_id, **project, **of, **more)
    if member is not None:
        there = {"project_id": project_id, "member_id": user_id, "role": member}
        await insert(db, "project_members", id=new_id(), **there, **of)
    return project_id


async def test_leads_who_belong_to_no_project_of_theirs_become_its_admins_and_guests_guests(url: str) -> None:
    await migrate(url, "0011")
    async with opened(url) as db:
        here, there = new_id(), new_id()
        expected = {
            await add_lead(db, here, 15, member=None): [20],
            await add_lead(db, there, 20, member=None): [20],
            await add_lead(db, here, 5, member=None): [5],
            await add_lead(db, here, 20, member=15): [15],
            await add_lead(db, here, 15, member=None, is_active=False): [],
            await add_lead(db, here, 15, member=None, deleted_at=NOW): [],
        }
    await migrate(url)
    columns = [sa.column(name) for name in ("workspace_id", "project_id", "member_id", "role", "created_at")]
    async with opened(url) as db:
        text = "SELECT workspace_id, project_id, member_id, role, created_at FROM project_members"
        rows = await db.fetch_all(Statement(sa.text(text).columns(*columns)))
        leads = await db.fetch_all(
            Statement(
                sa.text("SELECT id, project_lead_id, workspace_id FROM projects").columns(
                    *(sa.column(name) for name in ("id", "project_lead_id", "workspace_id"))
                )
            )
        )
    led = {str(row["id"]): row for row in leads}
    found: dict[str, list[int]] = {project_id: [] for project_id in expected}
    for row in rows:
        project = led[str(row["project_id"])]
        assert (row["member_id"], row["workspace_id"]) == (
            project["project_lead_id"],
            project["workspace_id"],
        )
        assert row["created_at"] is not None
        found[str(row["project_id"])].append(row["role"])
    assert found == expected
