"""The routes of the authorization server; the consent pages are the portal's."""

from airside.installations.own import OwnInstallation
from airside.oauth.callers import CallerCache
from airside.oauth.device import DeviceEndpoint
from airside.oauth.introspect import IntrospectionEndpoint
from airside.oauth.metadata import RESOURCE, SERVER, ResourceMetadata, ServerMetadata
from airside.oauth.register import RegistrationEndpoint
from airside.oauth.resources import API
from airside.oauth.revoke import RevocationEndpoint
from airside.oauth.token import TokenEndpoint
from airside.runtime.site import Site


def oauth_routes(site: Site, callers: CallerCache) -> list[tuple[str, object]]:
    """Path without its trailing slash → resource."""
    server = ServerMetadata(site)
    routes: list[tuple[str, object]] = [
        (SERVER, server),
        (f"{SERVER}/{{below:path}}", server),
        (RESOURCE, ResourceMetadata(site, "")),
        (f"{RESOURCE}{API}", ResourceMetadata(site, API)),
        ("/auth/o/token", TokenEndpoint(site)),
        ("/auth/o/revoke-token", RevocationEndpoint(site)),
        ("/auth/o/introspect", IntrospectionEndpoint(site)),
        ("/auth/o/device", DeviceEndpoint(site)),
        ("/auth/o/app-installation", OwnInstallation(site, callers)),
    ]
    if site.settings.dynamic_client_registration:
        routes.append(("/auth/o/register", RegistrationEndpoint(site)))
    return routes
