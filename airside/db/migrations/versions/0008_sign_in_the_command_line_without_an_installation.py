"""Sign in the command line without an installation, and retire the installations that it had so far

There was a bot in every workspace that anybody signed in to. `airside login` signs in again.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from airside.db.base import Id, Instant, Json, new_id

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("token_families", sa.Column("source", sa.Text(), nullable=True))
    for table in ("token_families", "access_tokens"):
        with op.batch_alter_table(table) as batch:
            batch.alter_column("installation_id", existing_type=Id(), nullable=True)
    _retire(datetime.now(UTC))


def _table(name: str, /, **columns: Any) -> sa.TableClause:
    return sa.table(name, *(sa.column(column, type_) for column, type_ in columns.items()))


_apps = _table("apps", id=Id(), name=sa.Text(), registration=sa.Text(), redirect_uris=Json(), scopes=Json())
_installations = _table(
    "installations", id=Id(), app_id=Id(), workspace_id=Id(), bot_user_id=Id(), status=sa.Text(),
    updated_at=Instant(), deleted_at=Instant(),
)  # fmt: skip
_whose = [_installations.c[name] for name in ("id", "workspace_id", "bot_user_id")]
_members = _table(
    "workspace_members", workspace_id=Id(), user_id=Id(), is_active=sa.Boolean(), updated_at=Instant(),
    deleted_at=Instant(),
)  # fmt: skip
_families = _table("token_families", app_id=Id(), revoked_at=Instant(), revoked_reason=sa.Text())
_access = _table("access_tokens", app_id=Id(), revoked_at=Instant())
_requests = _table("scope_requests", installation_id=Id(), decided_at=Instant(), is_approved=sa.Boolean())
_audit = _table(
    "audit_log", id=Id(), workspace_id=Id(), created_at=Instant(), action=sa.Text(), actor_kind=sa.Text(),
    actor_name=sa.Text(), app_id=Id(), app_name=sa.Text(), target_kind=sa.Text(), target_id=Id(),
    address=sa.Text(), user_agent=sa.Text(), details=Json(),
)  # fmt: skip


def _retire(now: datetime) -> None:
    """As an admin's uninstalling does, without telling anybody's webhooks."""
    connection = op.get_bind()
    for app in (
        connection.execute(sa.select(_apps.c.id, _apps.c.name).where(_apps.c.registration == "built_in"))
        .mappings()
        .all()
    ):
        for name in ("authorization_codes", "consent_requests", "device_requests"):
            waiting = _table(name, app_id=Id())
            op.execute(sa.delete(waiting).where(waiting.c.app_id == app["id"]))
        for tokens, values in ((_families, {"revoked_reason": "uninstalled"}), (_access, {})):
            theirs = sa.and_(tokens.c.app_id == app["id"], tokens.c.revoked_at.is_(None))
            op.execute(sa.update(tokens).where(theirs).values(revoked_at=now, **values))
        of_app = sa.and_(_installations.c.app_id == app["id"], _installations.c.deleted_at.is_(None))
        for installation in connection.execute(sa.select(*_whose).where(of_app)).mappings().all():
            _uninstall(app, installation, now)
        bounds = {"redirect_uris": [], "scopes": ["profile:read"]}
        op.execute(sa.update(_apps).where(_apps.c.id == app["id"]).values(**bounds))


def _uninstall(app: Any, installation: Any, now: datetime) -> None:
    ended = {"updated_at": now, "deleted_at": now}
    this, bot = _installations.c.id == installation["id"], _members.c.user_id == installation["bot_user_id"]
    op.execute(sa.update(_installations).where(this).values(status="uninstalled", **ended))
    place = _members.c.workspace_id == installation["workspace_id"]
    op.execute(sa.update(_members).where(place, bot).values(is_active=False, **ended))
    asked = sa.and_(_requests.c.installation_id == installation["id"], _requests.c.decided_at.is_(None))
    op.execute(sa.update(_requests).where(asked).values(decided_at=now, is_approved=False))
    row = {
        "id": new_id(),
        "workspace_id": installation["workspace_id"],
        "created_at": now,
        "action": "app.uninstalled",
        "actor_kind": "operator",
        "actor_name": "",
        "app_id": app["id"],
        "app_name": app["name"],
        "target_kind": "installation",
        "target_id": installation["id"],
        "address": "",
        "user_agent": "",
        "details": {"reason": "The command line signs people in without an installation."},
    }
    op.execute(sa.insert(_audit).values(**row))
