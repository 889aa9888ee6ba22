"""Find what somebody did last by an index: the delivery log shows what an app's own bot did."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    given = sa.text("actor_id IS NOT NULL")
    columns = ["workspace_id", "actor_id", "id"]
    op.create_index("ix_events_actor", "events", columns, sqlite_where=given, postgresql_where=given)
