"""Issues, resolves and revokes tokens, which are stored by their hashes. Fixed lifetimes are here."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from airside.apps.scopes import Grant
from airside.audit.record import APP, PERSON, record_audit
from airside.db.away import Unwritable
from airside.db.conditions import live, tenant
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement
from airside.identity.revocations import revocations
from airside.identity.tables import users
from airside.installations.tables import INSTALLED, installations
from airside.oauth.grant_scopes import caller_scopes, show_scopes
from airside.oauth.tables import (
    AuthorizationCodeRow,
    DeviceRequestRow,
    Holder,
    TokenFamilyRow,
    access_tokens,
    authorization_codes,
    device_requests,
    refresh_tokens,
    token_families,
)
from airside.rest.call import Caller
from airside.runtime.site import Site
from airside.system.credentials import (
    BOT_TOKEN,
    CLI_TOKEN,
    REFRESH_TOKEN,
    USER_TOKEN,
    hash_credential,
    new_credential,
)
from airside.workspaces.tables import workspace_members

ACCESS_LIFETIME = timedelta(days=1)  # Plane's 86400 seconds; grants use the operator's setting
TOUCH_EVERY = timedelta(minutes=10)  # `last_used_at` of a family is written at most this often
CODE_LIFETIME = timedelta(seconds=60)
MAX_MARKED = 1000  # access tokens that are marked as revoked with their family or installation

# Revocation reason that indicates a stolen token or code → its action in the audit log.
DETECTED = {
    "refresh_token_reused": "token.reuse_detected",
    "code_replayed": "code.replay_detected",
}


class LiveToken(Holder):
    """An access token that is valid, with columns of its consent and installation."""

    kind: Literal["bot", "user"]
    scopes: Grant
    family_id: str | None
    used_at: datetime | None
    last_used_at: datetime | None
    project_ids: list[str] | None


class ShownToken(Holder):
    """What introspection shows of a token."""

    scopes: Grant
    audience: str | None
    created_at: datetime
    expires_at: datetime


class DescribedToken(LiveToken, ShownToken):
    """A valid access token for any audience."""


class Bearer(msgspec.Struct, frozen=True):
    """The user a token acts as, the workspace, and the scopes."""

    app_id: str
    installation_id: str | None  # None: Airside's own command line
    workspace_id: str
    user_id: str
    scopes: Grant
    family_id: str | None = None  # None: a bot token
    audience: str | None = None  # None: this site's API

    @property
    def kind(self) -> str:
        return "bot" if self.family_id is None else "user"

    @property
    def prefix(self) -> str:
        if self.installation_id is None:
            return CLI_TOKEN
        return BOT_TOKEN if self.family_id is None else USER_TOKEN

    @property
    def holder(self) -> Holder:
        return {
            "app_id": self.app_id,
            "installation_id": self.installation_id,
            "workspace_id": self.workspace_id,
            "user_id": self.user_id,
        }


async def issue_access_token(
    tx: Transaction, bearer: Bearer, now: datetime, lifetime: timedelta = ACCESS_LIFETIME
) -> str:
    token = new_credential(bearer.prefix)
    row = {
        "token_hash": hash_credential(token),
        "kind": bearer.kind,
        **bearer.holder,
        "family_id": bearer.family_id,
        "scopes": bearer.scopes,
        "audience": bearer.audience,
        "created_at": now,
        "expires_at": now + lifetime,
        "used_at": None,
        "revoked_at": None,
    }
    await tx.insert(access_tokens, row)
    return token


async def issue_refresh_token(
    tx: Transaction, site: Site, family_id: str, given_at: datetime, now: datetime
) -> str:
    """It expires after `refresh_idle` without use, at the latest `refresh_max` after consent (`given_at`)."""
    token = new_credential(REFRESH_TOKEN)
    row = {
        "token_hash": hash_credential(token),
        "family_id": family_id,
        "created_at": now,
        "expires_at": min(now + site.settings.refresh_idle, given_at + site.settings.refresh_max),
    }
    await tx.insert(refresh_tokens, row)
    return token


def shape_reply(
    access_token: str, grant: Grant, refresh_token: str | None = None, lifetime: timedelta = ACCESS_LIFETIME
) -> dict[str, Any]:
    """RFC 6749 §5.1."""
    reply: dict[str, Any] = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": int(lifetime.total_seconds()),
        "scope": show_scopes(grant),
    }
    return reply if refresh_token is None else reply | {"refresh_token": refresh_token}


async def is_holder_live(reader: Reader, held: Holder | AuthorizationCodeRow | DeviceRequestRow) -> bool:
    """Whether these tokens are still valid: the user, their membership, and the app's installation are live.

    `held` is a code, an approved device, a family or a token."""
    user_id, installation_id = held["user_id"], held["installation_id"]
    if installation_id is None:
        found = await reader.fetch_value(_LIVE_MEMBER, workspace_id=held["workspace_id"], user_id=user_id)
    else:
        found = await reader.fetch_value(_LIVE_HOLDER, installation_id=installation_id, user_id=user_id)
    return found is not None


async def resolve_token(site: Site, token: str) -> Caller | None:
    """The caller of an access token; None when the token is unknown, expired or revoked, when its installation or
    consent has ended, when its user was deactivated or has left the workspace, or when its audience isn't this
    site's API."""
    if not token.startswith(USER_TOKEN) or token.startswith(REFRESH_TOKEN):
        return None
    hashed = hash_credential(token)
    statement = _LIVE_CLI_TOKEN if token.startswith(CLI_TOKEN) else _LIVE_TOKEN
    row = await site.db.fetch_one(statement, token_hash=hashed, now=site.clock.now())
    if row is None:
        return None
    await record_token_use(site, hashed, row)
    return Caller(
        user_id=row["user_id"],
        kind=row["kind"],
        budget=_budget(row),
        scopes=caller_scopes(row["scopes"]),
        workspace_id=row["workspace_id"],
        installation_id=row["installation_id"],
        app_id=row["app_id"],
        projects=None if row["project_ids"] is None else frozenset(row["project_ids"]),
    )


def _budget(row: LiveToken) -> str:
    """One rate budget for all tokens of an installation's bot, one for all of a user in an app: issuing more tokens
    must not raise the limit."""
    if row["family_id"] is None:
        return f"bot {row['installation_id']}"
    return f"person {row['app_id']} {row['user_id']}"


async def describe_token(site: Site, token: str) -> DescribedToken | None:
    """A live access token for any audience."""
    statement = _ANY_LIVE_CLI_TOKEN if token.startswith(CLI_TOKEN) else _ANY_LIVE_TOKEN
    return await site.db.fetch_one(statement, token_hash=hash_credential(token), now=site.clock.now())


async def record_token_use(site: Site, token_hash: str, row: LiveToken) -> None:
    """Store the first use of a user's token, and approximately the last use of their consent."""
    if row["family_id"] is None:
        return
    now, used_at = site.clock.now(), row["last_used_at"]
    is_first, is_due = row["used_at"] is None, used_at is None or now - used_at >= TOUCH_EVERY
    if not is_first and not is_due:
        return
    with suppress(Unwritable):  # reads still work on a read-only database
        async with site.db.transaction() as tx:
            if is_first:
                await tx.execute(_MARK_USED, of_token=token_hash, now=now)
            if is_due:
                await tx.update(token_families, {"last_used_at": now}, id=row["family_id"])


async def revoke_family(
    tx: Transaction, family_id: str, reason: str, now: datetime, by_user_id: str | None = None
) -> None:
    """Revoke all tokens of one consent. `by_user_id`: the person who requested the revocation."""
    if await tx.execute(_REVOKE_FAMILY, of_family=family_id, reason=reason, now=now):
        await _audit_end(tx, family_id, reason, now, by_user_id)
    await tx.execute(_REVOKE_TOKENS_OF_FAMILY, of_family=family_id, now=now)
    revocations.record(tx)


async def revoke_access_token(tx: Transaction, token_hash: str, now: datetime) -> None:
    token = await tx.lock(access_tokens, token_hash=token_hash)
    if token is None or token["revoked_at"] is not None:
        return
    await tx.update(access_tokens, {"revoked_at": now}, token_hash=token_hash)
    await audit_tokens(
        tx, "token.revoked", token, now, details={"kind": token["kind"], "reason": "revoked_by_client"}
    )
    revocations.record(tx)


async def audit_tokens(
    tx: Transaction,
    action: str,
    held: Holder,
    now: datetime,
    *,
    by_user_id: str | None = None,
    details: dict[str, Any] | None = None,
    once: str | None = None,
) -> None:
    """Audit an action on tokens. `held` says whose they are; the actor is the app unless `by_user_id` is given."""
    await record_audit(
        tx,
        action,
        now,
        workspace_id=held["workspace_id"],
        actor_id=by_user_id,
        actor_kind=PERSON if by_user_id else APP,
        app_id=held["app_id"],
        target=("installation", held["installation_id"])
        if held["installation_id"]
        else ("app", held["app_id"]),
        details={"user": held["user_id"]} | (details or {}),
        once=once,
    )


async def _audit_end(
    tx: Transaction, family_id: str, reason: str, now: datetime, by_user_id: str | None
) -> None:
    family = await tx.find(token_families, id=family_id)
    assert family is not None  # it was just revoked
    action = DETECTED.get(reason, "token.revoked")
    details = {"family": family_id, "reason": reason}
    await audit_tokens(tx, action, family, now, by_user_id=by_user_id, details=details)


async def revoke_installation(tx: Transaction, installation_id: str, now: datetime) -> None:
    """Revoke every token and consent of an installation, and delete its codes."""
    of: dict[str, Any] = {"of_installation": installation_id, "now": now}
    await tx.execute(_REVOKE_FAMILIES_OF_INSTALLATION, **of)
    await tx.execute(_REVOKE_TOKENS_OF_INSTALLATION, **of)
    await tx.delete(authorization_codes, installation_id=installation_id)
    revocations.record(tx)


async def revoke_families_of(
    tx: Transaction, user_id: str, reason: str, now: datetime, workspace_id: str | None = None
) -> None:
    """Revoke every consent of a user, in one workspace or in all, and delete their codes.

    Codes first: a concurrent redemption holds the code's lock, and its family is found afterwards."""
    where = {} if workspace_id is None else {"workspace_id": workspace_id}
    await tx.delete(authorization_codes, user_id=user_id, **where)
    await tx.delete(device_requests, user_id=user_id, **where)
    for family in await tx.fetch_all(_FAMILIES_OF_USER, user_id=user_id):
        if workspace_id in (None, family["workspace_id"]):
            await revoke_family(tx, family["id"], reason, now)


async def find_last_grant(reader: Reader, installation_id: str, user_id: str) -> TokenFamilyRow | None:
    """The user's most recent consent to the app, whether or not it was revoked since."""
    return await reader.fetch_one(_LAST_FAMILY, installation_id=installation_id, user_id=user_id)


async def list_misused(reader: Reader, user_id: str, since: datetime) -> list[TokenFamilyRow]:
    """A user's consents that were revoked because a token or code may have been stolen, newest first."""
    return await reader.fetch_all(_MISUSED, user_id=user_id, since=since)


async def disconnect(site: Site, user_id: str, installation_id: str) -> None:
    """Revoke every token with which the app acts as the user in this workspace, and delete their codes."""
    of = {"installation_id": installation_id, "user_id": user_id}
    async with site.db.transaction() as tx:
        await tx.delete(authorization_codes, **of)  # first: see revoke_families_of
        await tx.delete(device_requests, **of)
        for family in await tx.fetch_all(_FAMILIES_OF_USER, user_id=user_id):
            if family["installation_id"] == installation_id:
                await revoke_family(tx, family["id"], "disconnected", site.clock.now(), user_id)


async def list_grants(site: Site, user_id: str) -> list[TokenFamilyRow]:
    """A user's live consents to apps, as token families."""
    found = await list_live_families(site, user_id)
    return [family for family in found if family["installation_id"] is not None]


async def list_live_families(site: Site, user_id: str) -> list[TokenFamilyRow]:
    """Those with a token that can still be used, oldest first: what wasn't refreshed in time has ended."""
    now = site.clock.now()
    oldest = now - site.settings.refresh_max
    return await site.db.fetch_all(_LIVE_FAMILIES, user_id=user_id, now=now, oldest=oldest)


_a, _f, _i = access_tokens.c, token_families.c, installations.c
_now = sa.bindparam("now", type_=_a.expires_at.type)

_installed = sa.and_(_i.status == INSTALLED, live(installations))
_LIVE_HOLDER = Statement(
    sa.select(_i.id)
    .select_from(
        installations.join(workspace_members, workspace_members.c.workspace_id == _i.workspace_id).join(
            users, users.c.id == workspace_members.c.user_id
        )
    )
    .where(
        _i.id == sa.bindparam("installation_id"),
        users.c.id == sa.bindparam("user_id"),
        _installed,
        users.c.is_active,
        workspace_members.c.is_active,
    )
)
_LIVE_MEMBER = Statement(
    sa.select(users.c.id)
    .select_from(workspace_members.join(users, users.c.id == workspace_members.c.user_id))
    .where(
        tenant(workspace_members),
        users.c.id == sa.bindparam("user_id"),
        users.c.is_active,
        workspace_members.c.is_active,
    )
)


def _live_tokens(held_by: sa.FromClause, project_ids: sa.ColumnElement[Any]) -> sa.Select[*tuple[Any, ...]]:
    """`held_by`: the tokens, joined with what must be live besides user, membership and consent."""
    return (
        sa.select(
            *(_a.user_id, _a.kind, _a.scopes, _a.workspace_id, _a.installation_id, _a.app_id),
            *(_a.family_id, _a.used_at, _f.last_used_at, project_ids),
        )
        .select_from(
            held_by.join(users, users.c.id == _a.user_id)
            .join(
                workspace_members,
                sa.and_(
                    workspace_members.c.workspace_id == _a.workspace_id,
                    workspace_members.c.user_id == _a.user_id,
                ),
            )
            .outerjoin(token_families, _f.id == _a.family_id)
        )
        .where(
            _a.token_hash == sa.bindparam("token_hash"),
            _a.revoked_at.is_(None),
            _a.expires_at > _now,
            users.c.is_active,
            workspace_members.c.is_active,
            _f.revoked_at.is_(None),
        )
    )


_of_apps = _live_tokens(access_tokens.join(installations, _i.id == _a.installation_id), _i.project_ids)
_of_apps = _of_apps.where(_installed)
_of_cli = _live_tokens(access_tokens, sa.null().label("project_ids")).where(_a.installation_id.is_(None))
_at_this_api = _a.audience.is_(None)
_shown = (_a.audience, _a.created_at, _a.expires_at)
_LIVE_TOKEN = Statement(_of_apps.where(_at_this_api), LiveToken)
_ANY_LIVE_TOKEN = Statement(_of_apps.add_columns(*_shown), DescribedToken)
_LIVE_CLI_TOKEN = Statement(_of_cli.where(_at_this_api), LiveToken)
_ANY_LIVE_CLI_TOKEN = Statement(_of_cli.add_columns(*_shown), DescribedToken)
_MARK_USED = Statement(
    sa.update(access_tokens)
    .where(_a.token_hash == sa.bindparam("of_token"), _a.used_at.is_(None))
    .values(used_at=_now)
)
_REVOKE_FAMILY = Statement(
    sa.update(token_families)
    .where(_f.id == sa.bindparam("of_family"), _f.revoked_at.is_(None))
    .values(revoked_at=_now, revoked_reason=sa.bindparam("reason", type_=_f.revoked_reason.type))
)


def _revoke_tokens_of(column: str, parameter: str) -> Statement:
    """Marks MAX_MARKED at most: a client may hold hundreds of thousands, and on SQLite other writers wait. The rest
    need no mark: no look-up finds a token whose installation or family has ended, and neither is revived."""
    several = access_tokens.alias("several")
    first = (
        sa.select(several.c.token_hash)
        .where(several.c[column] == sa.bindparam(parameter), several.c.revoked_at.is_(None))
        .limit(sa.literal_column(str(MAX_MARKED)))
    )
    return Statement(sa.update(access_tokens).where(_a.token_hash.in_(first)).values(revoked_at=_now))


_REVOKE_TOKENS_OF_FAMILY = _revoke_tokens_of("family_id", "of_family")
_REVOKE_FAMILIES_OF_INSTALLATION = Statement(
    sa.update(token_families)
    .where(_f.installation_id == sa.bindparam("of_installation"), _f.revoked_at.is_(None))
    .values(revoked_at=_now, revoked_reason="uninstalled")
)
_REVOKE_TOKENS_OF_INSTALLATION = _revoke_tokens_of("installation_id", "of_installation")
_LAST_FAMILY = Statement(
    sa.select(token_families)
    .where(
        _f.installation_id == sa.bindparam("installation_id", type_=_f.installation_id.type),
        _f.user_id == sa.bindparam("user_id", type_=_f.user_id.type),
    )
    .order_by(_f.id.desc())
    .limit(sa.literal_column("1")),
    TokenFamilyRow,
)
_MISUSED = Statement(
    sa.select(token_families)
    .where(
        _f.user_id == sa.bindparam("user_id", type_=_f.user_id.type),
        _f.revoked_reason.in_([sa.literal_column(f"'{reason}'") for reason in DETECTED]),
        _f.revoked_at >= sa.bindparam("since", type_=_f.revoked_at.type),
    )
    .order_by(_f.revoked_at.desc()),
    TokenFamilyRow,
)
_families_of_user = (
    sa.select(token_families)
    .where(_f.user_id == sa.bindparam("user_id"), _f.revoked_at.is_(None))
    .order_by(_f.created_at)
)
_FAMILIES_OF_USER = Statement(_families_of_user, TokenFamilyRow)
_r = refresh_tokens.c
_LIVE_FAMILIES = Statement(
    _families_of_user.where(
        sa.or_(
            sa.exists().where(_r.family_id == _f.id, _r.rotated_at.is_(None), _r.expires_at > _now)
            & (_f.created_at > sa.bindparam("oldest", type_=_f.created_at.type)),
            sa.exists().where(_a.family_id == _f.id, _a.revoked_at.is_(None), _a.expires_at > _now),
        )
    ),
    TokenFamilyRow,
)
