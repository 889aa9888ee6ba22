"""The tables of endpoints, `airside listen`'s listeners, deliveries and attempts."""

from datetime import datetime
from typing import Any, TypedDict

import sqlalchemy as sa

from airside.db.base import (
    Id,
    Instant,
    Json,
    Stamps,
    TableOf,
    TenantKey,
    metadata,
    stamps,
    tenant_key,
)
from airside.system.credentials import SEALED_FOR, SIGNING

UNDELIVERED = ("failed", "cancelled", "missed")  # final states without a successful attempt


class EndpointRow(TenantKey, Stamps):
    installation_id: str | None
    listener_id: str | None
    title: str
    url: str
    version: str
    content_type: str
    secret_sealed: str
    previous_secret_sealed: str | None
    previous_secret_until: datetime | None
    event_names: list[str] | None
    filter_pql: str
    filter_json: dict[str, Any] | None
    ignored_actor_id: str | None
    readable_scopes: list[str] | None
    project_ids: list[str] | None
    is_suspended: bool
    is_active: bool
    disabled_reason: str | None
    first_failure_at: datetime | None
    warned_percent: int
    warned_at: datetime | None
    generation: int
    cancelling_since: datetime | None


class ListenerRow(TenantKey):
    app_id: str
    user_id: str
    name: str
    forward_to: str
    event_names: list[str] | None
    session: str
    seen_at: datetime
    ended_at: datetime | None
    created_at: datetime


class DeliveryRow(TenantKey):
    endpoint_id: str
    event_id: str
    event_name: str
    version: str
    part: int
    status: str
    attempts: int
    next_attempt_at: datetime | None
    forward_at: datetime | None
    leased_until: datetime | None
    created_at: datetime
    completed_at: datetime | None
    generation: int


class AttemptRow(TenantKey):
    delivery_id: str
    endpoint_id: str
    started_at: datetime
    duration_ms: int
    outcome: str
    url: str
    address: str | None
    timings: dict[str, int] | None
    request_headers: list[list[str]]
    request_body: str
    response_status: int | None
    response_headers: list[list[str]] | None
    response_body: str | None
    error: str | None


webhook_endpoints = TableOf[EndpointRow](
    "webhook_endpoints",
    metadata,
    *tenant_key(),
    sa.Column("installation_id", Id),  # null: a webhook of the workspace itself
    sa.Column("listener_id", Id),  # of `airside listen`: deliveries wait until fetched, see listeners.py
    sa.Column("title", sa.Text, nullable=False, server_default=""),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),  # v1 | v2
    sa.Column("content_type", sa.Text, nullable=False, server_default="application/json"),
    sa.Column("secret_sealed", sa.Text, nullable=False, info={SEALED_FOR: SIGNING}),
    sa.Column("previous_secret_sealed", sa.Text, info={SEALED_FOR: SIGNING}),  # also signs, until …
    sa.Column("previous_secret_until", Instant),
    sa.Column("event_names", Json),  # of events/catalog.py; null: every event
    sa.Column(
        "filter_pql", sa.Text, nullable=False, server_default=""
    ),  # on work-item events; "": all of them
    sa.Column("filter_json", Json),  # the same in the client's own format; returned as it is, never evaluated
    sa.Column("ignored_actor_id", Id),  # an app's bot: its own changes aren't sent
    sa.Column("readable_scopes", Json),  # an app's: other events aren't sent; null: not limited by scopes
    sa.Column("project_ids", Json),  # an app's: the projects it has access to; null: all
    sa.Column("is_suspended", sa.Boolean, nullable=False, server_default=sa.false()),  # with its installation
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("disabled_reason", sa.Text),  # of endpoints.py, while it is disabled
    sa.Column(
        "first_failure_at", Instant
    ),  # since when every attempt has failed; null: the last one succeeded
    sa.Column("warned_percent", sa.Integer, nullable=False, server_default="0"),  # see health.py
    sa.Column("warned_at", Instant),
    sa.Column(
        "generation", sa.Integer, nullable=False, server_default="0"
    ),  # of new deliveries, see cancel.py
    sa.Column("cancelling_since", Instant),  # null: no delivery of an earlier generation is pending
    *stamps(),
)
sa.Index("ix_webhook_endpoints_installation", webhook_endpoints.c.installation_id)
sa.Index(
    "ix_webhook_endpoints_listener",
    webhook_endpoints.c.listener_id,
    sqlite_where=webhook_endpoints.c.listener_id.is_not(None),
    postgresql_where=webhook_endpoints.c.listener_id.is_not(None),
)
sa.Index(
    "ix_webhook_endpoints_cancelling",
    webhook_endpoints.c.cancelling_since,
    sqlite_where=webhook_endpoints.c.cancelling_since.is_not(None),
    postgresql_where=webhook_endpoints.c.cancelling_since.is_not(None),
)

# A computer that runs `airside listen` for an app. The workspace is the one that registered the app; the listener's
# endpoints are in every workspace that installed it.
webhook_listeners = TableOf[ListenerRow](
    "webhook_listeners",
    metadata,
    *tenant_key(),
    sa.Column("app_id", Id, nullable=False),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("name", sa.Text, nullable=False),  # of the computer
    sa.Column("forward_to", sa.Text, nullable=False),  # for display: the local URL
    sa.Column("event_names", Json),  # of events/catalog.py; null: every event
    sa.Column("session", Id, nullable=False),  # the run of the command that receives deliveries now
    sa.Column("seen_at", Instant, nullable=False),  # its last request
    sa.Column("ended_at", Instant),  # no deliveries are held for it from then on
    sa.Column("created_at", Instant, nullable=False),
    sa.UniqueConstraint("workspace_id", "app_id", "user_id", "name"),
)

webhook_deliveries = TableOf[DeliveryRow](
    "webhook_deliveries",
    metadata,
    *tenant_key(),
    sa.Column("endpoint_id", Id, nullable=False),
    sa.Column("event_id", Id, nullable=False),
    sa.Column("event_name", sa.Text, nullable=False),  # as X-Plane-Event says it
    sa.Column("version", sa.Text, nullable=False),  # the endpoint's when the event was fanned out
    sa.Column("part", sa.Integer, nullable=False),  # v1 sends one payload for each changed field
    sa.Column("status", sa.Text, nullable=False),  # pending | delivered | failed | cancelled | missed
    sa.Column("attempts", sa.Integer, nullable=False),  # since it was last queued: redelivering resets it
    sa.Column("next_attempt_at", Instant),  # null unless a worker is to send it
    sa.Column(
        "forward_at", Instant
    ),  # instead of next_attempt_at for a listener, so that no worker claims it
    sa.Column("leased_until", Instant),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("completed_at", Instant),
    sa.Column(
        "generation", sa.Integer, nullable=False, server_default="0"
    ),  # the endpoint's when it was queued
    sa.UniqueConstraint("workspace_id", "endpoint_id", "event_id", "part"),
)
# The endpoint comes first: a claim reads the first few of each endpoint, however long its backlog, even if all of
# it is due at one instant.
sa.Index(
    "ix_webhook_deliveries_waiting",
    webhook_deliveries.c.endpoint_id,
    webhook_deliveries.c.next_attempt_at,
    webhook_deliveries.c.id,
    sqlite_where=webhook_deliveries.c.next_attempt_at.is_not(None),
    postgresql_where=webhook_deliveries.c.next_attempt_at.is_not(None),
)
sa.Index(
    "ix_webhook_deliveries_forward",
    webhook_deliveries.c.endpoint_id,
    webhook_deliveries.c.forward_at,
    sqlite_where=webhook_deliveries.c.forward_at.is_not(None),
    postgresql_where=webhook_deliveries.c.forward_at.is_not(None),
)
sa.Index(
    "ix_webhook_deliveries_endpoint",
    webhook_deliveries.c.workspace_id,
    webhook_deliveries.c.endpoint_id,
    webhook_deliveries.c.id,
)

# For redelivering since a time, oldest first, without reading the deliveries that succeeded.
is_undelivered = webhook_deliveries.c.status.in_([sa.literal_column(f"'{status}'") for status in UNDELIVERED])
sa.Index(
    "ix_webhook_deliveries_undelivered",
    webhook_deliveries.c.workspace_id,
    webhook_deliveries.c.endpoint_id,
    webhook_deliveries.c.created_at,
    webhook_deliveries.c.id,
    sqlite_where=is_undelivered,
    postgresql_where=is_undelivered,
)

webhook_attempts = TableOf[AttemptRow](
    "webhook_attempts",
    metadata,
    *tenant_key(),  # the id is X-Plane-Delivery
    sa.Column("delivery_id", Id, nullable=False),
    sa.Column("endpoint_id", Id, nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("duration_ms", sa.Integer, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),  # delivered | retry | failed, with the reason in `error`
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("address", sa.Text),  # the receiver's IP address
    sa.Column("timings", Json),  # milliseconds: dns, connect, first_byte, as far as measured
    sa.Column("request_headers", Json, nullable=False),
    sa.Column("request_body", sa.Text, nullable=False),
    sa.Column("response_status", sa.Integer),
    sa.Column("response_headers", Json),
    sa.Column("response_body", sa.Text),
    sa.Column("error", sa.Text),
)
sa.Index("ix_webhook_attempts_delivery", webhook_attempts.c.workspace_id, webhook_attempts.c.delivery_id)


class DeliveryToSend(TypedDict):
    """A delivery with its endpoint and its event, as deliver.py reads it for an attempt."""

    workspace_id: str
    workspace_slug: str | None
    delivery_id: str
    endpoint_id: str
    event_id: str
    event_name: str  # as X-Plane-Event says it
    version: str
    part: int
    attempts: int
    generation: int
    # the endpoint's
    endpoint_generation: int
    url: str
    content_type: str
    secret_sealed: str
    previous_secret_sealed: str | None
    previous_secret_until: datetime | None
    installation_id: str | None
    is_active: bool
    is_suspended: bool
    disabled_reason: str | None
    deleted_at: datetime | None
    first_failure_at: datetime | None
    warned_percent: int
    warned_at: datetime | None
    readable_scopes: list[str] | None
    project_ids: list[str] | None
    # the event's
    name: str
    entity_id: str
    actor_id: str | None
    project_id: str | None
    only_endpoint_id: str | None
    data: dict[str, Any]
    data_v2: dict[str, Any]
    previous: dict[str, Any]
    changes: list[dict[str, Any]]
    actor: dict[str, Any] | None
