"""Tables of apps: registrations, client secrets and app policies."""

import sqlalchemy as sa

from airside.db.base import Id, Instant, Json, metadata, stamps
from airside.system.credentials import SEALED_FOR, SIGNING

WORKSPACE, DYNAMIC, DOCUMENT, BUILT_IN = "workspace", "dynamic", "document", "built_in"  # `registration`
SELF_REGISTERED = frozenset({DYNAMIC, DOCUMENT})  # not vouched for by an admin
CONFIDENTIAL, PUBLIC = "confidential", "public"  # `client_type`: whether it can keep a secret (RFC 6749 §2.1)

apps = sa.Table(
    "apps",
    metadata,
    sa.Column("id", Id, primary_key=True),
    # The workspace that registered it, whose admins manage it. Null for self-registered and built-in clients.
    sa.Column("workspace_id", Id, index=True),
    sa.Column("registration", sa.Text, nullable=False, server_default=WORKSPACE),
    sa.Column("client_type", sa.Text, nullable=False, server_default=CONFIDENTIAL),
    sa.Column("document_expires_at", Instant),  # of a cached client id metadata document
    sa.Column("client_id", sa.Text, nullable=False, unique=True),
    sa.Column("slug", sa.Text, nullable=False, unique=True),  # wire: `agent_slug`
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("short_description", sa.Text, nullable=False, server_default=""),
    sa.Column("logo_url", sa.Text),
    sa.Column("redirect_uris", Json, nullable=False),  # list of strings
    sa.Column("contact_email", sa.Text, nullable=False, server_default=""),
    sa.Column("setup_url", sa.Text),
    sa.Column("webhook_url", sa.Text),
    sa.Column("webhook_version", sa.Text, nullable=False, server_default="v1"),
    sa.Column("webhook_content_type", sa.Text, nullable=False, server_default="application/json"),
    sa.Column("webhook_event_names", Json),  # of events/catalog.py; null: every event
    sa.Column("webhook_secret_sealed", sa.Text, nullable=False, info={SEALED_FOR: SIGNING}),
    sa.Column("previous_webhook_secret_sealed", sa.Text, info={SEALED_FOR: SIGNING}),  # also signs, until …
    sa.Column("previous_webhook_secret_until", Instant),
    sa.Column("receives_own_events", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("organization_name", sa.Text, nullable=False, server_default=""),
    sa.Column("organization_email", sa.Text, nullable=False, server_default=""),
    sa.Column("privacy_policy_url", sa.Text),
    sa.Column("terms_of_service_url", sa.Text),
    sa.Column("website", sa.Text),
    sa.Column("is_mentionable", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("scopes", Json, nullable=False),  # list of granular scopes: the most it may be granted
    sa.Column(
        "listed_at", Instant
    ),  # when it was last approved for the marketplace; null: not listed (marketplace/)
    # Scope → the author's reason for it, shown on the consent screen.
    sa.Column("scope_reasons", Json, nullable=False, server_default="{}"),
    *stamps(),
)

app_secrets = sa.Table(
    "app_secrets",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("app_id", Id, nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("secret_hash", sa.Text, nullable=False),
    sa.Column("last_four", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("created_by_id", Id),
    sa.Column("last_used_at", Instant),
    sa.Column("ended_at", Instant),
)

app_policies = sa.Table(
    "app_policies",  # policies set by admins; see policy.py
    metadata,
    sa.Column("workspace_id", Id, primary_key=True),
    sa.Column("registers", sa.Text, nullable=False),  # admins | members
    sa.Column("installs", sa.Text, nullable=False),  # any | listed | allowed
    sa.Column("allowed", Json, nullable=False),  # app ids
    sa.Column("denied", Json, nullable=False),  # app ids
    *stamps(),
)
