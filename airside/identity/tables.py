"""Tables of users. Passwords are argon2 hashes, sessions and API keys SHA-256, guessers MACs."""

import sqlalchemy as sa

from airside.db.base import Id, Instant, metadata
from airside.system.credentials import SEALED_FOR

SHOWN_ONCE = "shown_once"  # purpose of the seal

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("email", sa.Text, nullable=False, unique=True),  # lower case; a bot has a synthetic one
    sa.Column("first_name", sa.Text, nullable=False, server_default=""),
    sa.Column("last_name", sa.Text, nullable=False, server_default=""),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("avatar", sa.Text, nullable=False, server_default=""),
    sa.Column("avatar_url", sa.Text),
    sa.Column("timezone", sa.Text, nullable=False, server_default="UTC"),
    sa.Column("password_hash", sa.Text),  # null: can't sign in, like every bot
    sa.Column("email_proven_at", Instant),  # null: unproven, see proof.py
    sa.Column("is_bot", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("is_operator", sa.Boolean, nullable=False, server_default=sa.false()),  # runs this instance
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id_hash", sa.Text, primary_key=True),
    sa.Column("user_id", Id, nullable=False, index=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("last_seen_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("ip_address", sa.Text, nullable=False, server_default=""),
    sa.Column("user_agent", sa.Text, nullable=False, server_default=""),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("user_id", Id, nullable=False, index=True),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),
    sa.Column("last_four", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant),
    sa.Column("last_used_at", Instant),
    sa.Column("revoked_at", Instant),
)

guesses = sa.Table(
    "guesses",  # guesses at a password or short code per guesser and window: see guesses.py
    metadata,
    sa.Column("guesser", sa.Text, primary_key=True),
    sa.Column("tried", sa.Integer, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
)

form_answers = sa.Table(
    "form_answers",  # submitted forms that create something: see form_answers.py
    metadata,
    sa.Column("key", sa.Text, primary_key=True),  # hash of the submitted form
    sa.Column("session_hash", sa.Text, nullable=False, index=True),
    sa.Column("location", sa.Text),  # the redirect; null while it is being processed
    sa.Column("shown_sealed", sa.Text, info={SEALED_FOR: SHOWN_ONCE}),  # null some time after it was shown
    sa.Column("shown_at", Instant),
    sa.Column("expires_at", Instant, nullable=False, index=True),
)
