"""The outbox: one row for each change, written in the change's own transaction."""

from typing import Any

import sqlalchemy as sa

from airside.db.base import Id, Instant, Json, metadata, tenant_key


class FrozenJson(Json):
    """JSON stored as text: `jsonb` would reorder the keys, and a payload keeps the wire's order."""

    cache_ok = True
    is_long = True  # megabytes: reading one row takes long

    def get_col_spec(self, **_: Any) -> str:
        return "TEXT"


events = sa.Table(
    "events",
    metadata,
    *tenant_key(),
    sa.Column("project_id", Id),
    sa.Column("name", sa.Text, nullable=False),  # dotted, as in events/catalog.py: workitem.updated
    sa.Column("entity_id", Id, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),  # 1, 2, 3 … for each entity
    sa.Column("actor_id", Id),
    sa.Column("data", FrozenJson, nullable=False),  # the entity as API v1 shows it, frozen at the change
    sa.Column("data_v2", FrozenJson, nullable=False),  # the same for webhooks v2
    sa.Column("previous", FrozenJson, nullable=False),  # v2 names → old values
    sa.Column("changes", FrozenJson, nullable=False),  # v1's activity, one element for each Change
    sa.Column("actor", FrozenJson),  # the seven fields of v1's activity.actor, frozen at the change
    sa.Column("is_private", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("endpoint_id", Id),  # sent to this endpoint only: a ping, a test event
    sa.Column("installation_id", Id),  # sent to this installation only: the events of agent runs
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("fanned_out_at", Instant),
)
# A record's last events: the delivery log is searched for one record.
sa.Index("ix_events_entity", events.c.workspace_id, events.c.entity_id, events.c.id)
# An actor's last events: the delivery log shows those of an app's bot that weren't sent. See webhooks/log.py.
sa.Index(
    "ix_events_actor",
    events.c.workspace_id,
    events.c.actor_id,
    events.c.id,
    sqlite_where=events.c.actor_id.is_not(None),
    postgresql_where=events.c.actor_id.is_not(None),
)
sa.Index(
    "ix_events_waiting",
    events.c.id,
    sqlite_where=events.c.fanned_out_at.is_(None),
    postgresql_where=events.c.fanned_out_at.is_(None),
)

entity_sequences = sa.Table(
    "entity_sequences",
    metadata,
    sa.Column("workspace_id", Id, nullable=False),
    sa.Column("entity_id", Id, nullable=False),
    sa.Column("last", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("workspace_id", "entity_id"),
)
