"""The named cast of every story: workspace Acme with Ana the owner, Ben a member and Gil a guest; workspace
Other with Zoe, an outsider; app Courier, registered and installed in Acme by Ana."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from argon2 import PasswordHasher

from airside.apps.registry import create_app
from airside.db.base import Row
from airside.identity.tables import users
from airside.identity.users import new_user_row
from airside.installations.install import install_app
from airside.runtime.site import Site
from airside.workspaces.create import create_workspace
from airside.workspaces.members import add_member
from airside.workspaces.roles import GUEST, MEMBER

PASSWORD = "correct horse battery staple"  # everybody's
REDIRECT_URI = "https://courier.example/callback"
WEBHOOK_URL = "https://courier.example/hooks"


@dataclass
class Cast:
    """Rows as they were when the story began."""

    acme: Row
    other: Row
    ana: Row
    ben: Row
    gil: Row
    zoe: Row
    courier: Row
    client_secret: str
    webhook_secret: str
    installation: Row

    @property
    def client_id(self) -> str:
        return self.courier["client_id"]


async def make_cast(site: Site, **courier: Any) -> Cast:
    """Set the scene; `courier` overrides fields of the app's registration."""
    site.settings.webhook_allowed_hosts.append("courier.example")  # no DNS knows it
    ana, ben, gil, zoe = [await _person(site, name) for name in ("Ana", "Ben", "Gil", "Zoe")]
    acme = await create_workspace(site, name="Acme", slug="acme", owner_id=ana["id"])
    other = await create_workspace(site, name="Other", slug="other", owner_id=zoe["id"])
    await add_member(site, acme["id"], ben["id"], MEMBER, by_user_id=ana["id"])
    await add_member(site, acme["id"], gil["id"], GUEST, by_user_id=ana["id"])
    fields = {"name": "Courier", "redirect_uris": [REDIRECT_URI], "webhook_url": WEBHOOK_URL} | courier
    made = await create_app(site, workspace_id=acme["id"], by_user_id=ana["id"], fields=fields)
    installation = await install_app(site, made.app, acme["id"], ana["id"])
    return Cast(
        acme, other, ana, ben, gil, zoe, made.app, made.client_secret, made.webhook_secret, installation
    )


async def _person(site: Site, name: str) -> Row:
    """Past create_user, whose hashing would take most of a test's time."""
    row = new_user_row(f"{name.lower()}@example.com", name, site.clock.now())
    row |= {"first_name": name, "password_hash": _password_hash(), "email_proven_at": row["created_at"]}
    async with site.db.transaction() as tx:
        await tx.insert(users, row)
    return row


@cache
def _password_hash() -> str:
    return PasswordHasher(time_cost=1, memory_cost=1024).hash(PASSWORD)
