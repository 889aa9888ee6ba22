"""What is stored of grants and tokens: SHA-256 of them only, so a dump holds no live credential."""

import sqlalchemy as sa

from airside.db.base import Id, Instant, Json, metadata
from airside.runtime.credentials import SEALED_FOR

CONSENT_ANSWER = "consent_answer"  # what it is sealed for

consent_requests = sa.Table(
    "consent_requests",  # what a person is being asked, held here so that no form field can change it
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("app_id", Id, nullable=False),
    sa.Column("redirect_uri", sa.Text, nullable=False),
    sa.Column(
        "redirect_uri_given", sa.Boolean, nullable=False
    ),  # RFC 6749 §4.1.3: then /token must repeat it
    sa.Column("scopes", Json, nullable=False),
    sa.Column("state", sa.Text),
    sa.Column("code_challenge", sa.Text),
    sa.Column("audience", sa.Text),  # the resource it is bound to (RFC 8707); null: this site's API
    sa.Column("device_request_id", Id),  # of a device that is to be signed in: then there is no redirect
    sa.Column("session_hash", sa.Text),  # set when the consent screen is shown: only that session may answer
    sa.Column("workspace_id", Id),
    # Once it is answered: the URL that the person goes on to, for the page that leads there once.
    sa.Column("answer_sealed", sa.Text, info={SEALED_FOR: CONSENT_ANSWER}),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
)

authorization_codes = sa.Table(
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

device_requests = sa.Table(
    "device_requests",  # a device that waits for a person to sign it in (RFC 8628)
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("device_code_hash", sa.Text, nullable=False, unique=True),
    # Short enough to be guessed from a plain hash, so it is kept as a MAC under the instance's key.
    sa.Column("user_code_mac", sa.Text, nullable=False, unique=True),
    sa.Column("app_id", Id, nullable=False),
    sa.Column("scopes", Json, nullable=False),
    sa.Column("audience", sa.Text),
    sa.Column("source", sa.Text, nullable=False),  # the address that asked, shown to the person
    sa.Column("state", sa.Text, nullable=False),  # pending | approved | denied | used
    sa.Column("interval_seconds", sa.Integer, nullable=False),
    sa.Column("polled_at", Instant),
    sa.Column(
        "installation_id", Id
    ),  # this and what follows: set when it is approved; null: the command line
    sa.Column("workspace_id", Id),
    sa.Column("user_id", Id),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
)

token_families = sa.Table(
    "token_families",  # all the tokens that came from one consent: they end together
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("app_id", Id, nullable=False),
    sa.Column("installation_id", Id, index=True),  # null: a sign-in of Airside's own command line
    sa.Column("workspace_id", Id, nullable=False),
    sa.Column("user_id", Id, nullable=False, index=True),
    sa.Column("scopes", Json, nullable=False),
    sa.Column("audience", sa.Text),
    sa.Column("source", sa.Text),  # the address of the device that asked; null: it was no device
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("last_used_at", Instant),  # roughly: see tokens.TOUCH_EVERY
    sa.Column("revoked_at", Instant),
    sa.Column("revoked_reason", sa.Text),
)

access_tokens = sa.Table(
    "access_tokens",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),  # bot | user
    sa.Column("app_id", Id, nullable=False),
    sa.Column("installation_id", Id, index=True),  # null: of Airside's own command line
    sa.Column("workspace_id", Id, nullable=False),
    sa.Column("user_id", Id, nullable=False),  # whom it acts as: the bot, or the person
    sa.Column("family_id", Id, index=True),  # null for a bot token
    sa.Column("scopes", Json, nullable=False),
    sa.Column("audience", sa.Text),  # null: this site's API; any other is refused there
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
    sa.Column(
        "used_at", Instant
    ),  # for the first time; of a person's tokens only: see grants/refresh_token.py
    sa.Column("revoked_at", Instant),
)

refresh_tokens = sa.Table(
    "refresh_tokens",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("family_id", Id, nullable=False, index=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
    sa.Column("rotated_at", Instant),
    # The answer to its use, sealed with a key made from the token itself; how often it was given once more.
    sa.Column("successor_sealed", sa.Text),
    sa.Column("repeats", sa.Integer, nullable=False, server_default="0"),
)

resource_servers = sa.Table(
    "resource_servers",  # apps that may introspect tokens which others hold for a resource: see resource_servers.py
    metadata,
    sa.Column("app_id", Id, primary_key=True),
    sa.Column("resource", sa.Text, primary_key=True),
    sa.Column("created_at", Instant, nullable=False),
)
