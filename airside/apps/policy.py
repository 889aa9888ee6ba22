"""The app policy of a workspace, set by its admins: which apps may be installed, and who may register apps.

Only admins install, whatever the policy. A changed policy doesn't affect existing installations: an admin has to
suspend or uninstall them.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from airside.apps.tables import BUILT_IN, app_policies, apps
from airside.audit.record import record_audit
from airside.db.base import Row
from airside.db.conditions import live
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement, any_of
from airside.db.text_rules import is_storable
from airside.errors import Forbidden, Invalid, Refused
from airside.events.outbox import NewEvent, compare, record_event
from airside.identity.users import actor_of, get_user
from airside.runtime.site import Site
from airside.workspaces.members import require_admin
from airside.workspaces.tables import workspaces

ADMINS, MEMBERS = "admins", "members"  # `registers`
ANY, LISTED, ALLOWED = "any", "listed", "allowed"  # `installs`
MAX_RULED_APPS = 500  # apps on each list
_CHOICES = {"registers": (ADMINS, MEMBERS), "installs": (ANY, LISTED, ALLOWED)}


class Policy(msgspec.Struct, frozen=True):
    """`denied` overrides `allowed`, and `allowed` overrides `installs`. Both are lists of app ids."""

    registers: str = ADMINS
    installs: str = ANY
    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()

    def refusal_of(self, app: Row) -> str:
        """Why the app can't be installed, as a sentence for admins; empty when it can."""
        name = app["name"]
        if app["id"] in self.denied:
            return f"The app policy of this workspace keeps {name} out."
        if self.installs == ANY or app["id"] in self.allowed:
            return ""
        if self.installs == ALLOWED:
            return (
                f"The app policy of this workspace allows only the apps on its list, and {name} isn't there."
            )
        if app["listed_at"] is not None:
            return ""
        return (
            f"The app policy of this workspace allows only apps from the marketplace, and {name} isn't there."
        )


async def find_policy(reader: Reader, workspace_id: str) -> Policy:
    """The workspace's policy, or the default one."""
    row = await reader.find(app_policies, workspace_id=workspace_id)
    return _as_policy(row) if row else Policy()


async def check_installable(reader: Reader, workspace_id: str, app: Row) -> None:
    """Raises Forbidden, with the reason, if the policy blocks the app."""
    refusal = (await find_policy(reader, workspace_id)).refusal_of(app)
    if refusal:
        raise Forbidden(f"{refusal} An admin can change that under App policy.")


async def change_policy(site: Site, workspace_id: str, by_user_id: str, choices: Mapping[str, str]) -> Policy:
    """Set `registers` and `installs`; absent fields stay unchanged. Raises Invalid and Forbidden."""
    for name, value in choices.items():
        if value not in _CHOICES.get(name, ()):
            raise Invalid({name: ["Choose one of these."]})
    return await _change(site, workspace_id, by_user_id, dict(choices))


async def rule_app(site: Site, workspace_id: str, by_user_id: str, client_id: str, rule: str) -> Policy:
    """Move an app to a list, `allowed` or `denied`; an empty `rule` removes it from both.

    Raises Invalid for an unknown app, and Forbidden."""
    if rule not in ("", "allowed", "denied"):
        raise Invalid({"rule": ["Choose one of these."]})
    app = await find_known_app(site.db, client_id)
    if app is None or (rule and app["registration"] == BUILT_IN):  # the command line is never installed
        raise Invalid({"client_id": ["There is no app with this client ID here."]})
    return await _change(site, workspace_id, by_user_id, {}, app["id"], rule)


async def find_known_app(reader: Reader, client_id: str) -> Row | None:
    """The app with this client id, as a person entered it."""
    text = client_id.strip()
    return await reader.fetch_one(_BY_CLIENT_ID, client_id=text) if text and is_storable(text) else None


async def list_apps_named(reader: Reader, app_ids: tuple[str, ...]) -> list[Row]:
    """The apps with these ids that aren't deleted, by name."""
    return await reader.fetch_all(_NAMED, ids=list(app_ids))


async def _change(
    site: Site,
    workspace_id: str,
    by_user_id: str,
    choices: dict[str, Any],
    app_id: str | None = None,
    rule: str = "",
) -> Policy:
    async with site.db.transaction() as tx:
        await require_admin(tx, workspace_id, by_user_id)
        await tx.lock(workspaces, id=workspace_id)  # the policy's own row may not exist yet
        row = await tx.find(app_policies, workspace_id=workspace_id)
        before = _as_policy(row) if row else Policy()
        after = msgspec.structs.replace(before, **choices)
        if app_id is not None:
            after = _ruled(after, app_id, rule)
        if after != before:
            await _store(tx, site, workspace_id, by_user_id, row, after)
            await _record(tx, site, workspace_id, by_user_id, before, after)
    return after


def _ruled(policy: Policy, app_id: str, rule: str) -> Policy:
    lists: dict[str, tuple[str, ...]] = {}
    for name in ("allowed", "denied"):
        others = tuple(one for one in getattr(policy, name) if one != app_id)
        lists[name] = (*others, app_id) if name == rule else others
        if len(lists[name]) > MAX_RULED_APPS:
            raise Refused(f"A list holds {MAX_RULED_APPS} apps at most.")
        if name == rule and app_id in getattr(policy, name):
            lists[name] = getattr(policy, name)
    return msgspec.structs.replace(policy, **lists)


async def _store(
    tx: Transaction, site: Site, workspace_id: str, by_user_id: str, row: Row | None, policy: Policy
) -> None:
    now = site.clock.now()
    values = msgspec.to_builtins(policy) | {"updated_at": now, "updated_by_id": by_user_id}
    if row is not None:
        await tx.update(app_policies, values, workspace_id=workspace_id)
        return
    made = {"created_at": now, "created_by_id": by_user_id, "deleted_at": None}
    await tx.insert(app_policies, {"workspace_id": workspace_id, **values, **made})


async def _record(
    tx: Transaction, site: Site, workspace_id: str, by_user_id: str, before: Policy, after: Policy
) -> None:
    old, new = msgspec.to_builtins(before), msgspec.to_builtins(after)
    previous, changes = compare(old, new)
    now = site.clock.now()
    shown = {"id": workspace_id, **new}
    event = NewEvent(
        workspace_id=workspace_id,
        name="workspace.app_policy.updated",
        entity_id=workspace_id,
        actor_id=by_user_id,
        actor=actor_of(await get_user(tx, by_user_id)),
        at=now,
        data=shown,
        data_v2=shown,
        previous=previous,
        changes=changes,
    )
    await record_event(tx, site.wakeups, event)
    await record_audit(
        tx,
        "workspace.policy_changed",
        now,
        workspace_id=workspace_id,
        actor_id=by_user_id,
        target=("workspace", workspace_id),
        details={"changes": {name: [was, new[name]] for name, was in previous.items()}},
    )


def _as_policy(row: Row) -> Policy:
    return Policy(row["registers"], row["installs"], tuple(row["allowed"]), tuple(row["denied"]))


_BY_CLIENT_ID = Statement(sa.select(apps).where(apps.c.client_id == sa.bindparam("client_id"), live(apps)))
_NAMED = Statement(
    sa.select(apps).where(any_of(apps.c.id, "ids"), live(apps)).order_by(apps.c.name, apps.c.id)
)
