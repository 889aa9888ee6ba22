"""Make people who lead a project without belonging to it admins of it; guests of the workspace stay guests."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from airside.db.base import Id, Instant, new_id

revision = "0012"
down_revision = "0011"

ADMIN, MEMBER, GUEST = 20, 15, 5


def upgrade() -> None:
    now = datetime.now(UTC)
    leads = op.get_bind().execute(_find_leads()).all()
    rows = [
        {
            "workspace_id": workspace_id,
            "id": new_id(),
            "project_id": project_id,
            "member_id": user_id,
            "role": ADMIN if role >= MEMBER else GUEST,
            "created_at": now,
            "updated_at": now,
        }
        for workspace_id, project_id, user_id, role in leads
    ]
    if rows:
        op.bulk_insert(_memberships, rows)


def _find_leads() -> sa.Select[Any, Any, Any, Any]:
    """Of projects that aren't deleted, with their role in the workspace, which they must still belong to."""
    p, w, m = _projects.c, _people.c, _memberships.c
    belongs = sa.exists().where(
        m.workspace_id == p.workspace_id,
        m.project_id == p.id,
        m.member_id == p.project_lead_id,
        m.deleted_at.is_(None),
    )
    joined = _projects.join(
        _people, sa.and_(w.workspace_id == p.workspace_id, w.user_id == p.project_lead_id)
    )
    return (
        sa.select(p.workspace_id, p.id, p.project_lead_id, w.role)
        .select_from(joined)
        .where(p.deleted_at.is_(None), w.is_active, w.deleted_at.is_(None), ~belongs)
    )


def _table(name: str, *others: sa.ColumnClause[object], ids: tuple[str, ...]) -> sa.TableClause:
    return sa.table(name, *(sa.column(one, Id()) for one in ids), sa.column("deleted_at", Instant()), *others)


_role = ("role", sa.Integer())
_projects = _table("projects", ids=("workspace_id", "id", "project_lead_id"))
_people = _table(
    "workspace_members",
    sa.column(*_role),
    sa.column("is_active", sa.Boolean()),
    ids=("workspace_id", "user_id"),
)
_memberships = _table(
    "project_members",
    sa.column(*_role),
    sa.column("created_at", Instant()),
    sa.column("updated_at", Instant()),
    ids=("workspace_id", "id", "project_id", "member_id"),
)
