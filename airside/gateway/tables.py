"""Tables of what Airside keeps about a Community Edition. Credentials are sealed, a session is kept as its hash.

The people, workspaces, memberships and projects themselves are rows of our own tables under the Community Edition's
ids (mirror.py). No person's password or session and no admin's key is stored."""

from datetime import datetime
from typing import TypedDict

import sqlalchemy as sa

from airside.db.base import Id, Instant, TableOf, TenantKey, metadata, tenant_key
from airside.system.credentials import SEALED_FOR

# purposes of the seals
ACCOUNT_PASSWORD, ACCOUNT_KEY, PERSON_TOKEN = (
    "upstream_account_password",
    "upstream_account_key",
    "upstream_token",
)


class UpstreamSessionRow(TypedDict):
    id_hash: str
    cookie_hash: str
    checked_at: datetime


upstream_sessions = TableOf[UpstreamSessionRow](
    "upstream_sessions",  # which of the Community Edition's sessions a session of ours was begun with
    metadata,
    sa.Column("id_hash", sa.Text, primary_key=True),  # of the row of `sessions`
    sa.Column("cookie_hash", sa.Text, nullable=False, index=True),
    sa.Column("checked_at", Instant, nullable=False),  # when the Community Edition said last who it is
)


class UpstreamAccountRow(TenantKey):
    app_id: str | None
    user_id: str | None
    email: str
    password_sealed: str
    invitation_id: str | None
    key_id: str | None
    key_sealed: str | None
    step: str
    claim: str | None
    claimed_until: datetime | None
    profile_due_at: datetime | None
    refused_at: datetime | None
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None


upstream_accounts = TableOf[UpstreamAccountRow](
    "upstream_accounts",  # the accounts that Airside has in the Community Edition: one for each installed app
    metadata,
    *tenant_key(),
    sa.Column("app_id", Id),  # null: the gateway's own, which manages the workspace's hook and invitations
    sa.Column("user_id", Id),  # its id there; null until it signed up
    sa.Column("email", sa.Text, nullable=False, unique=True),
    sa.Column("password_sealed", sa.Text, nullable=False, info={SEALED_FOR: ACCOUNT_PASSWORD}),
    sa.Column("invitation_id", Id),
    sa.Column("key_id", Id),
    sa.Column("key_sealed", sa.Text, info={SEALED_FOR: ACCOUNT_KEY}),
    sa.Column("step", sa.Text, nullable=False),  # the last one that is done, of accounts.py
    sa.Column("claim", sa.Text),  # of the task that works on it, until `claimed_until`
    sa.Column("claimed_until", Instant),
    sa.Column(
        "profile_due_at", Instant
    ),  # since when the app has another name or logo; null: they are the same
    sa.Column("refused_at", Instant),  # when it was found to be removed there; null: it is a member
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),  # when its key was deleted and it left
)
_unended = upstream_accounts.c.ended_at.is_(None)
_of_gateway = sa.and_(_unended, upstream_accounts.c.app_id.is_(None))
sa.Index(
    "uq_upstream_accounts_app",
    upstream_accounts.c.workspace_id,
    upstream_accounts.c.app_id,
    unique=True,
    sqlite_where=_unended,
    postgresql_where=_unended,
)
sa.Index(
    "uq_upstream_accounts_gateway",
    upstream_accounts.c.workspace_id,
    unique=True,
    sqlite_where=_of_gateway,
    postgresql_where=_of_gateway,
)
sa.Index("ix_upstream_accounts_user_id", upstream_accounts.c.user_id)
IS_DUE = sa.and_(
    _unended,
    sa.or_(
        upstream_accounts.c.step != sa.literal_column("'ready'"),
        upstream_accounts.c.profile_due_at.is_not(None),
    ),
)
sa.Index(
    "ix_upstream_accounts_due",  # what the job looks at
    upstream_accounts.c.updated_at,
    sqlite_where=IS_DUE,
    postgresql_where=IS_DUE,
)


class UpstreamTokenRow(TenantKey):
    installation_id: str
    user_id: str
    token_id: str
    token_sealed: str | None
    created_at: datetime
    expires_at: datetime
    destroyed_at: datetime | None


upstream_tokens = TableOf[UpstreamTokenRow](
    "upstream_tokens",  # with which an app acts as a person in the Community Edition, made at their consent
    metadata,
    *tenant_key(),
    sa.Column("installation_id", Id, nullable=False),
    sa.Column("user_id", Id, nullable=False, index=True),
    sa.Column("token_id", Id, nullable=False),  # its id there, by which only the person can delete it
    # Null once the grant ended: the row then waits for the person's next visit, or for `expires_at`.
    sa.Column("token_sealed", sa.Text, info={SEALED_FOR: PERSON_TOKEN}),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
    sa.Column("destroyed_at", Instant),
)
_usable = upstream_tokens.c.token_sealed.is_not(None)
sa.Index(
    "uq_upstream_tokens_usable",
    upstream_tokens.c.workspace_id,
    upstream_tokens.c.installation_id,
    upstream_tokens.c.user_id,
    unique=True,
    sqlite_where=_usable,
    postgresql_where=_usable,
)
