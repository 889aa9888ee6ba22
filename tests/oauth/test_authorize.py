"""The checks before consent: which errors are shown, which are redirected, and which requests are accepted."""

import pytest

from airside.apps.tables import apps
from airside.developer.registration import update_app
from airside.oauth.authorize import (
    STATE_LENGTH,
    DisplayedRefusal,
    RedirectedRefusal,
    install_url,
    open_consent_request,
)
from airside.oauth.tables import consent_requests
from airside.runtime.site import Site
from tests.cast import REDIRECT_URI, Cast
from tests.oauth.conftest import authorize_query, parts_of
from tests.oauth.test_authorization_code import CHALLENGE

MUTATIONS = [
    "https://courier.example/callback/",
    "https://courier.example/Callback",
    "https://courier.example/callback?",
    "https://courier.example/callback?a=b",
    "https://courier.example/callback#",
    "https://courier.example/%63allback",
    "https://courier.example//callback",
    "https://courier.example/./callback",
    "https://courier.example/x/../callback",
    "https://COURIER.example/callback",
    "HTTPS://courier.example/callback",
    "http://courier.example/callback",
    "https://courier.example:443/callback",
    "https://courier.example:8443/callback",
    "https://a@courier.example/callback",
    "https://courier.example@evil.example/callback",
    "https://sub.courier.example/callback",
    "https://courier.example.evil.example/callback",
    "https://courier.example./callback",
    "//courier.example/callback",
    "/callback",
    "https:/courier.example/callback",
    "https://courier.example\\callback",
    " https://courier.example/callback",
    "https://courier.example/callback ",
    "https://courier.example/callback\n",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://courier.example/callback;x",
    "https://127.0.0.1/callback",
    "*",
    "https://courier.example/call",
]


async def shown(site: Site, query: str) -> None:
    with pytest.raises(DisplayedRefusal):
        await open_consent_request(site, query)


async def redirected(site: Site, query: str) -> dict[str, str]:
    with pytest.raises(RedirectedRefusal) as caught:
        await open_consent_request(site, query)
    assert caught.value.location.startswith(f"{REDIRECT_URI}?")
    return parts_of(caught.value.location)


@pytest.fixture
def anything(cast: Cast) -> str:
    return authorize_query(cast)


async def test_ru3_an_address_that_was_registered_before_its_scheme_was_forbidden_is_not_gone_to(
    site: Site, cast: Cast
) -> None:
    async with site.db.transaction() as tx:
        await tx.update(apps, {"redirect_uris": ["ms-msdt:/id"]}, id=cast.courier["id"])
    for redirect_uri in ("ms-msdt:/id", None):
        await shown(site, authorize_query(cast, redirect_uri=redirect_uri))


async def test_a_good_request_is_held_here(site: Site, cast: Cast) -> None:
    query = authorize_query(cast, state="xyz", scope="read write", resource="https://mcp.example/mcp")
    request_id = await open_consent_request(site, query)
    [held] = await site.db.find_all(consent_requests)
    assert held["id"] == request_id
    assert (held["app_id"], held["redirect_uri"], held["state"]) == (cast.courier["id"], REDIRECT_URI, "xyz")
    assert held["session_hash"] is None


@pytest.mark.parametrize("uri", MUTATIONS)
async def test_ru1_an_unregistered_redirect_uri_is_never_redirected_to(
    site: Site, cast: Cast, uri: str
) -> None:
    await shown(site, authorize_query(cast, redirect_uri=uri))


async def test_an_unknown_client_is_shown_an_error(site: Site, cast: Cast) -> None:
    for client_id in (None, "unknown", "nul\x00", "x" * 20_000, cast.courier["id"]):
        await shown(site, authorize_query(cast, client_id=client_id))


async def test_what_cannot_be_read_is_shown(site: Site, anything: str) -> None:
    for tail in ("&state=%ff", "&state=%00", "&state=%ed%a0%80", "&a=1" * 200):
        await shown(site, anything + tail)
    await shown(site, "")


async def test_az3_repeated_client_or_redirect_uri_is_shown_other_repetitions_are_redirected(
    site: Site, cast: Cast, anything: str
) -> None:
    await shown(site, f"{anything}&client_id={cast.client_id}")
    await shown(site, f"{anything}&redirect_uri=https%3A%2F%2Fcourier.example%2Fcallback")
    for name in ("scope", "response_type", "code_challenge"):
        answer = await redirected(site, f"{anything}&{name}=code&{name}=code&state=s")
        assert (answer["error"], answer["state"]) == ("invalid_request", "s")
    assert "state" not in await redirected(site, f"{anything}&state=a&state=b")


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": ""}, "invalid_request"),
        ({"scope": "nonsense"}, "invalid_scope"),
        ({"scope": "projects:read customers:read"}, "invalid_scope"),
        ({"code_challenge": CHALLENGE}, "invalid_request"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": CHALLENGE + "=", "code_challenge_method": "S256"}, "invalid_request"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
        ({"code_challenge_method": "S256"}, "invalid_request"),
    ],
)
async def test_later_errors_are_redirected_with_state_and_issuer(
    site: Site, cast: Cast, asked: dict[str, str | None], error: str
) -> None:
    await update_app(site, cast.courier["id"], cast.ana["id"], {"scopes": ["projects:read"]})
    answer = await redirected(site, authorize_query(cast, state="a+b &%ü", **asked))
    assert (answer["error"], answer["state"], answer["iss"]) == (error, "a+b &%ü", site.settings.origin)


async def test_a_state_that_is_too_long_is_refused_without_it(site: Site, cast: Cast) -> None:
    await open_consent_request(site, authorize_query(cast, state="s" * STATE_LENGTH))
    answer = await redirected(site, authorize_query(cast, state="s" * (STATE_LENGTH + 1)))
    assert answer["error"] == "invalid_request"
    assert "state" not in answer


async def test_ru4_with_several_redirect_uris_one_must_be_named(site: Site, cast: Cast) -> None:
    await open_consent_request(site, authorize_query(cast, redirect_uri=None))
    changes = {"redirect_uris": [REDIRECT_URI, "https://courier.example/other"]}
    await update_app(site, cast.courier["id"], cast.ana["id"], changes)
    await shown(site, authorize_query(cast, redirect_uri=None))


async def test_ru2_a_loopback_address_may_use_any_port_but_only_its_path(site: Site, cast: Cast) -> None:
    uris = ["http://127.0.0.1/cb", "http://[::1]:1234/cb", "http://localhost:8000/cb"]
    await update_app(site, cast.courier["id"], cast.ana["id"], {"redirect_uris": uris})
    for port in (1024, 65535, 9):
        uris += [f"http://{host}:{port}/cb" for host in ("127.0.0.1", "[::1]", "localhost")]
    for uri in ("http://localhost/cb", *uris):
        await open_consent_request(site, authorize_query(cast, redirect_uri=uri))
    for uri in (
        "http://127.0.0.1:1024/other", "http://127.0.0.1:99999/cb", "http://127.0.0.2/cb", "https://127.0.0.1/cb",
        "http://localhost:8001/other", "http://127.0.0.1:80@evil.example/cb", "http://127.0.0.1:/cb", "http://127.1/cb",
        "http://localhost:65536/cb", "http://127.0.0.1.evil.example/cb", "http://localhost.evil.example/cb",
        "https://localhost/cb", "http://localhost:80@evil.example/cb", "http://LOCALHOST/cb", "http://localhost:/cb",
    ):  # fmt: skip
        await shown(site, authorize_query(cast, redirect_uri=uri))
    await update_app(site, cast.courier["id"], cast.ana["id"], {"redirect_uris": ["http://127.0.0.1/cb"]})
    await shown(site, authorize_query(cast, redirect_uri="http://localhost/cb"))


async def test_the_query_of_a_redirect_uri_is_kept(site: Site, cast: Cast) -> None:
    uri = "https://courier.example/cb?tenant=1"
    await update_app(site, cast.courier["id"], cast.ana["id"], {"redirect_uris": [uri]})
    with pytest.raises(RedirectedRefusal) as caught:
        await open_consent_request(site, authorize_query(cast, redirect_uri=uri, response_type="token"))
    assert caught.value.location.startswith(f"{uri}&error=unsupported_response_type")


async def test_install_leads_to_the_setup_url_or_straight_to_consent(site: Site, cast: Cast) -> None:
    url = install_url(site, cast.courier)
    assert url.startswith("http://127.0.0.1:8000/auth/o/authorize-app/?")
    assert await open_consent_request(site, url.partition("?")[2])
    changes = {"setup_url": "https://courier.example/setup"}
    app = await update_app(site, cast.courier["id"], cast.ana["id"], changes)
    assert install_url(site, app) == "https://courier.example/setup"
