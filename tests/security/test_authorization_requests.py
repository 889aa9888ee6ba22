"""Rows AZ2, AZ4 to AZ7 and AZ9: what an authorization request may ask, and what its answers carry."""

import random
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from airside.developer.registration import update_app
from airside.oauth.authorize import RedirectedRefusal, open_consent_request
from airside.oauth.consent import approve, ask
from airside.oauth.expiry import clear_expired
from airside.oauth.tables import consent_requests
from airside.runtime.site import Site
from tests.cast import PASSWORD, REDIRECT_URI, Cast
from tests.oauth.conftest import AppSide, authorize_query, parts_of, sign_in_as
from tests.portal.visitor import Shown, Visitor, visiting
from tests.support.clocks import FrozenClock

AUTHORIZE = "/auth/o/authorize-app/"
CONSENT, CHOOSE = "/consent/", "/consent/workspace/"
ELSEWHERE = {"Origin": "https://evil.example"}


async def answered(app_side: AppSide, query: str) -> dict[str, str]:
    """The immediate redirect to the app, without a consent screen."""
    answer = await app_side.http.simulate_get(AUTHORIZE, query_string=query)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{REDIRECT_URI}?")
    return parts_of(answer.headers["location"])


@pytest.mark.parametrize(
    "response_type", ["token", "id_token", "code token", "code id_token", "none", "CODE", "code code"]
)
async def test_az2_nothing_but_a_code_is_ever_answered(
    app_side: AppSide, cast: Cast, response_type: str
) -> None:
    result = await answered(app_side, authorize_query(cast, response_type=response_type))
    assert result["error"] == "unsupported_response_type"
    assert result.keys().isdisjoint({"code", "access_token", "id_token"})


def make_states() -> list[str]:
    """200 of them, the same in every run: what urlencoding can get wrong, and anything else."""
    chosen = random.Random(4)
    picked = [
        "+",
        "&",
        "%",
        "ü",
        "=",
        "#",
        "?",
        " ",
        "%2B",
        "%u00fc",
        "a+b &%=ü✈",
        "\r\n",
        "\t",
        '"<>',
        "s" * 2048,
    ]
    alphabet = "abcXYZ019-._~+&%=#?/\\ :;@!$'()*,[]{}|^`\"<>\r\n\tüß✈😀\u2028\ufeff"
    return picked + [
        "".join(chosen.choices(alphabet, k=chosen.choice((1, 7, 40, 300, 2048))))
        for _ in range(200 - len(picked))
    ]  # fmt: skip


async def test_az4_every_state_comes_back_as_it_was(site: Site, cast: Cast) -> None:
    states = make_states()
    assert len(states) == 200
    session = await sign_in_as(site, cast.ana)
    for state in states:
        with pytest.raises(RedirectedRefusal) as refused:
            await open_consent_request(site, authorize_query(cast, state=state, response_type="token"))
        request_id = await open_consent_request(site, authorize_query(cast, state=state))
        await ask(site, request_id, session, cast.acme["id"])
        agreed = await approve(site, request_id, session, cast.acme["id"])
        for answer in (refused.value.location, agreed):
            assert answer.isascii(), state
            assert answer.isprintable(), "nothing that could end the Location header"
            assert parts_of(answer)["state"] == state


async def test_az5_the_issuer_is_sent_with_success_and_with_refusal(app_side: AppSide, cast: Cast) -> None:
    metadata = (await app_side.http.simulate_get("/.well-known/oauth-authorization-server")).json
    assert metadata["authorization_response_iss_parameter_supported"] is True
    agreed = await app_side.consent()
    refused = await answered(app_side, authorize_query(cast, scope="nonsense", state="s"))
    assert (agreed["iss"], refused["iss"]) == (metadata["issuer"], metadata["issuer"])
    assert (refused["error"], refused["state"]) == ("invalid_scope", "s")


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        (None, "projects:read profile:read"),
        ("read", "read projects:read profile:read"),
        ("read write", "read write projects:read profile:read"),
        ("projects:read", "projects:read"),
        ("projects:read profile:read", "projects:read profile:read"),
        ("projects:write", None),
        ("projects:read projects:write", None),
        ("write:projects", None),
        ("PROJECTS:READ", None),
        ("*", None),
    ],
)
async def test_az6_the_token_holds_what_was_asked_within_the_registration(
    app_side: AppSide, site: Site, cast: Cast, asked: str | None, granted: str | None
) -> None:
    await update_app(site, cast.courier["id"], cast.ana["id"], {"scopes": ["projects:read", "profile:read"]})
    scope = {} if asked is None else {"scope": asked}
    if granted is None:
        assert (await answered(app_side, authorize_query(cast, **scope)))["error"] == "invalid_scope"
        return
    request_id = await open_consent_request(site, authorize_query(cast, **scope))
    question = await ask(site, request_id, await sign_in_as(site, cast.ana), cast.acme["id"])
    result = [sentence for group in question.as_you.values() for sentence in group]
    assert len(result) == len([name for name in granted.split() if ":" in name])
    assert (await app_side.user_tokens(**scope))["scope"] == granted


class Loaded(HTMLParser):
    """What a page loads by itself, and where its forms lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        loads = {"src", "srcset", "action", "formaction", "data", "poster"} | (
            {"href"} if tag == "link" else set()
        )
        self.addresses += [value or "" for name, value in attrs if name in loads]  # fmt: skip


async def walk_to_consent(visitor: Visitor, cast: Cast, **headers: str) -> list[Shown]:
    """From the app's link to its redirect URI as Ana, who signs in on the way: every answer."""
    link = f"{AUTHORIZE}?{authorize_query(cast, state='s')}"
    answers = [await visitor.get(link, **headers)]
    answers.append(await visitor.get(answers[-1].location, **headers))  # nobody is signed in
    answers.append(form := await visitor.get(answers[-1].location, **headers))
    filled = form.form("/sign-in/") | {"email": "ana@example.com", "password": PASSWORD}
    answers.append(await visitor.post("/sign-in/", filled, **headers))
    answers.append(page := await visitor.get(answers[-1].location, **headers))
    agreed = page.form(CONSENT) | {"decision": "allow"}
    answers.append(await visitor.post(CONSENT, agreed, **headers))
    return answers


async def test_az7_no_other_origin_reads_along_and_only_a_code_is_in_a_url(site: Site, cast: Cast) -> None:
    async with visiting(site) as visitor:
        answers = await walk_to_consent(visitor, cast, **ELSEWHERE)
        asked = ELSEWHERE | {"Access-Control-Request-Method": "POST"}
        for path in (AUTHORIZE, CONSENT, CHOOSE, "/sign-in/"):
            answers.append(await visitor.send("OPTIONS", path, headers=asked))
    assert [answer.status for answer in answers[:6]] == [303, 303, 200, 303, 200, 303]
    for answer in answers:
        assert not any(name.lower().startswith("access-control-") for name in answer.headers)
    final = urlsplit(answers[5].location)
    assert dict(parse_qsl(final.query)).keys() == {"code", "app_installation_id", "state", "iss"}
    secrets = (PASSWORD, *visitor.cookies.values())
    for answer in answers:
        assert not any(secret in answer.location for secret in secrets)


async def test_az9_sign_in_and_consent_load_nothing_from_elsewhere_and_tell_nobody(
    site: Site, cast: Cast
) -> None:
    async with visiting(site) as visitor:
        answers = await walk_to_consent(visitor, cast)
        answers.append(await visitor.get(f"{AUTHORIZE}?{urlencode({'client_id': 'unknown'})}"))
    pages = [answer for answer in answers if answer.status != 303]
    assert [page.status for page in pages] == [200, 200, 400]
    for answer in answers:
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
    for page in pages:
        addresses = Loaded(page.text).addresses
        assert addresses
        assert all(
            address.startswith(("/", "data:")) and not address.startswith("//") for address in addresses
        )


async def test_op3_one_address_opens_only_so_many_requests(app_side: AppSide, site: Site, cast: Cast) -> None:
    query = authorize_query(cast)

    async def open_from(address: str) -> int:
        answer = await app_side.http.simulate_get(AUTHORIZE, query_string=query, remote_addr=address)
        return answer.status_code

    statuses = [await open_from("203.0.113.66") for _ in range(310)]
    assert statuses[:300] == [303] * 300
    assert 429 in statuses
    assert await open_from("198.51.100.7") == 303


async def test_requests_that_nobody_answered_are_forgotten(
    site: Site, cast: Cast, clock: FrozenClock
) -> None:
    await open_consent_request(site, authorize_query(cast))
    await clear_expired(site)
    assert len(await site.db.find_all(consent_requests)) == 1
    clock.advance(minutes=31)
    await clear_expired(site)
    assert await site.db.find_all(consent_requests) == []
