"""The routes of the authorization server; the consent pages are the portal's."""

from airside.errors import PageNotFound
from airside.http.answer import Answer
from airside.http.endpoint import Endpoint, Handler, Methods, Nowhere, ShowError
from airside.http.request import Request
from airside.installations.own import OwnInstallation
from airside.oauth.callers import CallerCache
from airside.oauth.device import DeviceEndpoint
from airside.oauth.endpoint import OAuthEndpoint, show_oauth_error
from airside.oauth.introspect import IntrospectionEndpoint
from airside.oauth.metadata import RESOURCE, SERVER, Document, describe_resource, describe_server
from airside.oauth.register import RegistrationEndpoint
from airside.oauth.resources import API, API_V2
from airside.oauth.revoke import RevocationEndpoint
from airside.oauth.token import TokenEndpoint
from airside.runtime.site import Site

PREFIX = "/auth/o/"


def oauth_endpoints(site: Site, callers: CallerCache, show_api_error: ShowError) -> dict[str, Endpoint]:
    """Path without its trailing slash → endpoint. The token's own installation is the API's, whatever its path."""
    endpoints: dict[str, Endpoint] = {
        SERVER: _open_document(describe_server(site.settings)),
        RESOURCE: _open_document(describe_resource(site.settings, "")),
        **{
            f"{RESOURCE}{path}": _open_document(describe_resource(site.settings, path))
            for path in (API, API_V2)
        },
        "/auth/o/token": _open_form(TokenEndpoint(site).answer),
        "/auth/o/revoke-token": _open_form(RevocationEndpoint(site).answer),
        "/auth/o/introspect": OAuthEndpoint({"POST": IntrospectionEndpoint(site).answer}),
        "/auth/o/device": OAuthEndpoint({"POST": DeviceEndpoint(site).answer}),
        "/auth/o/app-installation": Methods({"GET": OwnInstallation(site, callers).answer}, show_api_error),
    }
    if site.settings.dynamic_client_registration:
        endpoints["/auth/o/register"] = _open_form(RegistrationEndpoint(site).answer)
    return endpoints


def oauth_prefixes(site: Site) -> dict[str, Endpoint]:
    """Prefix → endpoint of every other path below it. Clients that were configured with a URL below the origin
    append its path to the server's metadata."""
    return {
        f"{SERVER}/": _open_document(describe_server(site.settings)),
        f"{RESOURCE}/": OAuthEndpoint({"GET": _find_nothing}, is_open=True),
        PREFIX: Nowhere(show_oauth_error),
    }


async def _find_nothing(request: Request) -> Answer:
    raise PageNotFound


def _open_document(document: dict[str, object]) -> Endpoint:
    return OAuthEndpoint({"GET": Document(document).answer}, is_open=True)


def _open_form(answer: Handler) -> Endpoint:
    return OAuthEndpoint({"POST": answer}, is_open=True)
