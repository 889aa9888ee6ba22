"""Find what happened to a record in the order of ids, by which the delivery log is paged through."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.drop_index("ix_events_entity", "events")
    op.create_index("ix_events_entity", "events", ["workspace_id", "entity_id", "id"])
