"""Tables of grants and tokens. Credentials are stored as SHA-256, so a dump holds no usable one."""

from datetime import datetime
from typing import TypedDict

import sqlalchemy as sa

from airside.db.base import Id, Instant, Json, TableOf, metadata
from airside.system.credentials import SEALED_FOR

CONSENT_ANSWER = "consent_answer"  # purpose of the seal


class Holder(TypedDict):
    """Whose tokens they are: the columns of a consent and of its tokens."""

    app_id: str
    installation_id: str | None
    workspace_id: str
    user_id: str


class ConsentRequestRow(TypedDict):
    id: str
    app_id: str
    redirect_uri: str
    redirect_uri_given: bool
    scopes: list[str]
    state: str | None
    code_challenge: str | None
    audience: str | None
    device_request_id: str | None
    session_hash: str | None
    workspace_id: str | None
    answer_sealed: str | None
    created_at: datetime
    expires_at: datetime


consent_requests = TableOf[ConsentRequestRow](
    "consent_requests",  # open authorization requests, stored so that no form field can change them
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("app_id", Id, nullable=False),
    sa.Column("redirect_uri", sa.Text, nullable=False),
    sa.Column(
        "redirect_uri_given", sa.Boolean, nullable=False
    ),  # then the token request must repeat it (RFC 6749 §4.1.3)
    sa.Column("scopes", Json, nullable=False),
    sa.Column("state", sa.Text),
    sa.Column("code_challenge", sa.Text),
    sa.Column("audience", sa.Text),  # the requested resource (RFC 8707); null: this site's API
    sa.Column("device_request_id", Id),  # set for the device flow, which has no redirect
    sa.Column("session_hash", sa.Text),  # set when the consent screen is shown: only that session may decide
    sa.Column("workspace_id", Id),
    # Once it is decided: the redirect URL, which the confirmation page follows once.
    sa.Column("answer_sealed", sa.Text, info={SEALED_FOR: CONSENT_ANSWER}),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
)


class AuthorizationCodeRow(TypedDict):
    code_hash: str
    family_id: str
    app_id: str
    installation_id: str
    workspace_id: str
    user_id: str
    redirect_uri: str
    redirect_uri_given: bool
    scopes: list[str]
    code_challenge: str | None
    audience: str | None
    expires_at: datetime
    used_at: datetime | None


authorization_codes = TableOf[AuthorizationCodeRow](
    "authorization_codes",
    metadata,
    sa.Column("code_hash", sa.Text, primary_key=True),
    sa.Column("family_id", Id, nullable=False),
    sa.Column("app_id", Id, nullable=False),
    sa.Column("installation_id", Id, nullable=False, index=True),
    sa.Column("workspace_id", Id, nullable=False),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("redirect_uri", sa.Text, nullable=False),
    sa.Column("redirect_uri_given", sa.Boolean, nullable=False),
    sa.Column("scopes", Json, nullable=False),
    sa.Column("code_challenge", sa.Text),
    sa.Column("audience", sa.Text),
    sa.Column("expires_at", Instant, nullable=False, index=True),
    sa.Column("used_at", Instant),
)


class DeviceRequestRow(TypedDict):
    id: str
    device_code_hash: str
    user_code_mac: str
    app_id: str
    scopes: list[str]
    audience: str | None
    source: str
    state: str
    interval_seconds: int
    polled_at: datetime | None
    installation_id: str | None
    workspace_id: str | None
    user_id: str | None
    created_at: datetime
    expires_at: datetime


device_requests = TableOf[DeviceRequestRow](
    "device_requests",  # device authorization requests (RFC 8628)
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("device_code_hash", sa.Text, nullable=False, unique=True),
    # A plain hash of a short code could be brute-forced, so it is a MAC under the instance's key.
    sa.Column("user_code_mac", sa.Text, nullable=False, unique=True),
    sa.Column("app_id", Id, nullable=False),
    sa.Column("scopes", Json, nullable=False),
    sa.Column("audience", sa.Text),
    sa.Column("source", sa.Text, nullable=False),  # the device's address, shown to the user
    sa.Column("state", sa.Text, nullable=False),  # pending | approved | denied | used
    sa.Column("interval_seconds", sa.Integer, nullable=False),
    sa.Column("polled_at", Instant),
    sa.Column("installation_id", Id),  # this and the next two: set on approval; null: the command line
    sa.Column("workspace_id", Id),
    sa.Column("user_id", Id),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
)


class TokenFamilyRow(Holder):
    id: str
    scopes: list[str]
    audience: str | None
    source: str | None
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_reason: str | None


token_families = TableOf[TokenFamilyRow](
    "token_families",  # all tokens of one consent: they are revoked together
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("app_id", Id, nullable=False),
    sa.Column("installation_id", Id, index=True),  # null: a sign-in of Airside's own command line
    sa.Column("workspace_id", Id, nullable=False),
    sa.Column("user_id", Id, nullable=False, index=True),
    sa.Column("scopes", Json, nullable=False),
    sa.Column("audience", sa.Text),
    sa.Column("source", sa.Text),  # the device's address; null: not from the device flow
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("last_used_at", Instant),  # approximate: see tokens.TOUCH_EVERY
    sa.Column("revoked_at", Instant),
    sa.Column("revoked_reason", sa.Text),
)


class AccessTokenRow(Holder):
    token_hash: str
    kind: str
    family_id: str | None
    scopes: list[str]
    audience: str | None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


access_tokens = TableOf[AccessTokenRow](
    "access_tokens",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),  # bot | user
    sa.Column("app_id", Id, nullable=False),
    sa.Column("installation_id", Id, index=True),  # null: a token of Airside's own command line
    sa.Column("workspace_id", Id, nullable=False),
    sa.Column("user_id", Id, nullable=False),  # the user it acts as: the bot, or the person
    sa.Column("family_id", Id, index=True),  # null for a bot token
    sa.Column("scopes", Json, nullable=False),
    sa.Column("audience", sa.Text),  # null: this site's API, which refuses tokens for others
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
    sa.Column("used_at", Instant),  # first use; not set for bot tokens: see grants/refresh_token.py
    sa.Column("revoked_at", Instant),
)


class RefreshTokenRow(TypedDict):
    token_hash: str
    family_id: str
    created_at: datetime
    expires_at: datetime
    rotated_at: datetime | None
    successor_sealed: str | None
    repeats: int


refresh_tokens = TableOf[RefreshTokenRow](
    "refresh_tokens",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("family_id", Id, nullable=False, index=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
    sa.Column("rotated_at", Instant),
    # The reply to its rotation, sealed with a key derived from the token itself; how often it was repeated.
    sa.Column("successor_sealed", sa.Text),
    sa.Column("repeats", sa.Integer, nullable=False, server_default="0"),
)


class ResourceServerRow(TypedDict):
    app_id: str
    resource: str
    created_at: datetime


resource_servers = TableOf[ResourceServerRow](
    "resource_servers",  # apps that may introspect access tokens for a resource: see resource_servers.py
    metadata,
    sa.Column("app_id", Id, primary_key=True),
    sa.Column("resource", sa.Text, primary_key=True),
    sa.Column("created_at", Instant, nullable=False),
)
