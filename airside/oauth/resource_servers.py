"""Resource servers: apps that may introspect other clients' access tokens for their resource (RFC 7662 §2.1).

Only the operator adds them: an app that added itself could test stolen tokens.
"""

from typing import TypedDict

import sqlalchemy as sa

from airside.apps.tables import CONFIDENTIAL, WORKSPACE
from airside.audit.record import OPERATOR, record_audit
from airside.db.base import Row
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement
from airside.errors import Invalid, NotFound
from airside.oauth.errors import InvalidTarget
from airside.oauth.resources import read_audience
from airside.oauth.tables import resource_servers
from airside.runtime.site import Site


class ResourceName(TypedDict):
    resource: str


async def add_resource_server(site: Site, app: Row, resource: str) -> str:
    """Let the app introspect access tokens for this resource; returns the resource as tokens carry it.

    Raises Invalid for this site's own API, whose tokens are checked here only, and for an app that has no secret
    or that no admin registered."""
    audience = _read_resource(site, resource)
    if app["client_type"] != CONFIDENTIAL or app["registration"] != WORKSPACE:
        raise Invalid({"app": ["Only an app with a secret, registered by an admin, can check tokens."]})
    row, now = {"app_id": app["id"], "resource": audience}, site.clock.now()
    async with site.db.transaction() as tx:
        if await tx.lock(resource_servers, **row) is None:
            await tx.insert(resource_servers, row | {"created_at": now})
            await _audit(tx, site, "app.resource_added", app, audience)
    return audience


async def remove_resource_server(site: Site, app: Row, resource: str) -> str:
    """The app may no longer introspect tokens for this resource. Raises Invalid and NotFound."""
    audience = _read_resource(site, resource)
    async with site.db.transaction() as tx:
        if not await tx.delete(resource_servers, app_id=app["id"], resource=audience):
            raise NotFound(f"The app doesn't check tokens for {audience}.")
        await _audit(tx, site, "app.resource_removed", app, audience)
    return audience


async def list_resources(reader: Reader, app_id: str) -> list[str]:
    return [row["resource"] for row in await reader.fetch_all(_RESOURCES, app_id=app_id)]


async def checks_tokens_for(reader: Reader, app_id: str, audience: str | None) -> bool:
    """Whether the app is a resource server of this audience. False for None, this site's API."""
    if audience is None:
        return False
    return await reader.find(resource_servers, app_id=app_id, resource=audience) is not None


def _read_resource(site: Site, resource: str) -> str:
    try:
        audience = read_audience(site.settings, resource)
    except InvalidTarget as error:
        raise Invalid({"resource": [error.detail]}) from None
    if audience is None:
        raise Invalid({"resource": ["Tokens for this site's own API are checked here and nowhere else."]})
    return audience


async def _audit(tx: Transaction, site: Site, action: str, app: Row, resource: str) -> None:
    await record_audit(
        tx,
        action,
        site.clock.now(),
        workspace_id=app["workspace_id"],
        actor_kind=OPERATOR,
        app_id=app["id"],
        target=("app", app["id"]),
        details={"resource": resource},
    )


_RESOURCES = Statement(
    sa.select(resource_servers.c.resource)
    .where(resource_servers.c.app_id == sa.bindparam("app_id"))
    .order_by(resource_servers.c.resource),
    ResourceName,
)
