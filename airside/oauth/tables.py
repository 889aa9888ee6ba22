"""What is stored of grants and tokens: SHA-256 of them only, so a dump holds no live credential."""

import sqlalchemy as sa

from airside.db.base import Id, Instant, Json, metadata

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
    sa.Column("session_hash", sa.Text),  # set when the consent screen is shown: only that session may answer
    sa.Column("workspace_id", Id),
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
    sa.Column("expires_at", Instant, nullable=False, index=True),
    sa.Column("used_at", Instant),
)

token_families = sa.Table(
    "token_families",  # all the tokens that came from one consent: they end together
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("app_id", Id, nullable=False),
    sa.Column("installation_id", Id, nullable=False, index=True),
    sa.Column("workspace_id", Id, nullable=False),
    sa.Column("user_id", Id, nullable=False, index=True),
    sa.Column("scopes", Json, nullable=False),
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
    sa.Column("installation_id", Id, nullable=False, index=True),
    sa.Column("workspace_id", Id, nullable=False),
    sa.Column("user_id", Id, nullable=False),  # whom it acts as: the bot, or the person
    sa.Column("family_id", Id, index=True),  # null for a bot token
    sa.Column("scopes", Json, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
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
    sa.Column(
        "successor_sealed", sa.Text
    ),  # the answer to its use, sealed with a key made from the token itself
)
