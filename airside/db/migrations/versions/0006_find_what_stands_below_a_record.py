"""Find what stands below a label, comment or page by an index, and name no parent that is gone."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    given = sa.text("parent_id IS NOT NULL")
    for name in ("labels", "comments", "pages"):
        columns = ["workspace_id", "parent_id"]
        op.create_index(f"ix_{name}_parent", name, columns, sqlite_where=given, postgresql_where=given)
    for name in ("labels", "comments", "pages", "work_items"):
        _release(sa.table(name, *map(sa.column, ("workspace_id", "id", "parent_id", "deleted_at"))))


def _release(records: sa.TableClause) -> None:
    above = records.alias("above")
    is_gone = sa.exists().where(
        above.c.workspace_id == records.c.workspace_id,
        above.c.id == records.c.parent_id,
        above.c.deleted_at.is_not(None),
    )
    op.execute(sa.update(records).where(records.c.parent_id.is_not(None), is_gone).values(parent_id=None))
