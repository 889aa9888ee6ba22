"""What every grant shares: reading the request, authenticating the client, the shape of answers."""

import base64
from typing import Any

import pytest

from airside.apps.secrets import add_client_secret, end_client_secret, list_client_secrets
from airside.apps.tables import app_secrets
from airside.credentials import hash_credential
from airside.site import Site
from tests.cast import Cast
from tests.oauth.conftest import TOKEN, AppSide, basic

FORM, JSON = "application/x-www-form-urlencoded", "application/json"


@pytest.mark.parametrize("as_json", [False, True])
async def test_form_and_json_mean_the_same(app_side: AppSide, as_json: bool) -> None:
    answer = await app_side.bot_token(as_json=as_json)
    assert answer.status == 200
    assert answer.body["access_token"].startswith("pln_bot_")
    assert {name: answer.body[name] for name in ("token_type", "expires_in", "scope")} == {
        "token_type": "Bearer",
        "expires_in": 86400,
        "scope": "read write",
    }


async def test_answers_may_not_be_stored(app_side: AppSide) -> None:
    for answer in (
        await app_side.bot_token(),
        await app_side.token(),
        await app_side.token(client_secret="x"),
    ):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["pragma"] == "no-cache"


async def test_http_basic_works_with_a_secret_of_special_characters(app_side: AppSide, site: Site) -> None:
    secret = "a:b%c+d e/ü"
    async with site.db.transaction() as tx:
        changes = {"secret_hash": hash_credential(secret)}
        await tx.update(app_secrets, changes, app_id=app_side.cast.courier["id"])
    fields = {"grant_type": "client_credentials", "app_installation_id": app_side.cast.installation["id"]}
    header = basic(app_side.cast.client_id, secret)
    assert (await app_side.post(TOKEN, fields, Authorization=header)).status == 200


async def test_both_ways_to_authenticate_at_once_are_refused(app_side: AppSide) -> None:
    header = basic(app_side.cast.client_id, app_side.cast.client_secret)
    answer = await app_side.post(
        TOKEN, app_side.own | {"grant_type": "client_credentials"}, Authorization=header
    )
    assert (answer.status, answer.body["error"]) == (400, "invalid_request")


async def test_basic_may_repeat_the_client_id_in_the_body_but_not_another(app_side: AppSide) -> None:
    header = basic(app_side.cast.client_id, app_side.cast.client_secret)
    fields = {"grant_type": "client_credentials", "app_installation_id": app_side.cast.installation["id"]}
    own = fields | {"client_id": app_side.cast.client_id}
    assert (await app_side.post(TOKEN, own, Authorization=header)).status == 200
    other = fields | {"client_id": "other"}
    assert (await app_side.post(TOKEN, other, Authorization=header)).body["error"] == "invalid_request"


async def test_an_unknown_client_and_a_wrong_secret_look_the_same(app_side: AppSide) -> None:
    wrong_secret = await app_side.bot_token(client_secret="wrong")
    unknown = await app_side.bot_token(client_id="unknown")
    unstorable = await app_side.bot_token(client_id="nul\x00")
    assert wrong_secret.status == 401
    assert wrong_secret.body == unknown.body
    assert wrong_secret.body["error"] == "invalid_client"
    assert unstorable.status == 400


@pytest.mark.parametrize(
    "header",
    [
        basic("unknown", "secret"),
        "Basic !!!",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Basic " + base64.b64encode(b"%ff:%ff").decode(),
        "Basic " + base64.b64encode(b"nul\x00:\x00").decode(),
        "Basic",
        "Basic a, Basic b",
        "Bearer whatever",
    ],
)
async def test_a_basic_header_that_fails_is_challenged(app_side: AppSide, header: str) -> None:
    answer = await app_side.post(
        TOKEN, {"grant_type": "client_credentials", "app_installation_id": "x"}, Authorization=header
    )
    assert (answer.status, answer.body["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password", "username": "ana", "password": "x"}, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "invalid_request"),
        ({"grant_type": "client_credentials", "app_installation_id": "nonsense"}, "invalid_grant"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "nonsense"}, "invalid_grant"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "nonsense"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "pln_refresh_nonsense"}, "invalid_grant"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("as_json", [False, True])
async def test_each_wrong_request_has_its_error(
    app_side: AppSide, fields: dict[str, str], error: str, as_json: bool
) -> None:
    answer = await app_side.token(as_json=as_json, **fields)
    assert (answer.status, answer.body["error"]) == (400, error)


HOSTILE: list[tuple[bytes, str]] = [
    (b"", FORM),
    (b"grant_type=client_credentials&grant_type=client_credentials", FORM),
    (b"grant_type=%ff", FORM),
    (b"grant_type=\xff", FORM),
    (b"grant_type=client_credentials&client_id=%00&client_secret=%00&app_installation_id=%00", FORM),
    (b"&".join(b"a%d=1" % number for number in range(500)), FORM),
    (b"grant_type=client_credentials", "text/plain"),
    (b"grant_type=client_credentials", "multipart/form-data; boundary=x"),
    (b"", JSON),
    (b"{", JSON),
    (b"[]", JSON),
    (b"null", JSON),
    (b'"text"', JSON),
    (b"NaN", JSON),
    (b"\xff\xfe{}", JSON),
    (b'{"grant_type": 1}', JSON),
    (b'{"grant_type": ["client_credentials"]}', JSON),
    (b'{"grant_type": {"a": "b"}}', JSON),
    (b'{"grant_type": true}', JSON),
    (b'{"grant_type": null}', JSON),
    (b'{"grant_type": "refresh_token", "grant_type": "refresh_token"}', JSON),
    (b'{"grant_type": "\\ud800"}', JSON),
    (b'{"grant_type": "client_credentials", "client_id": "\\u0000", "client_secret": "x"}', JSON),
    (b'{"grant_type": ' + b"9" * 5000 + b"}", JSON),
    (b"[" * 8000, JSON),
    (b'{"a":' * 3000, JSON),
]


@pytest.mark.parametrize(("body", "content_type"), HOSTILE)
async def test_a_hostile_body_is_the_clients_error(app_side: AppSide, body: bytes, content_type: str) -> None:
    for path in (TOKEN, "/auth/o/revoke-token/"):
        answer = await app_side.send(path, body, content_type)
        assert answer.status in (400, 401), answer.body
        assert answer.body["error"] in ("invalid_request", "invalid_client")


async def test_a_huge_body_is_not_read(app_side: AppSide) -> None:
    answer = await app_side.send(TOKEN, b"a=" + b"x" * 20_000, FORM)
    assert (answer.status, answer.body["error"]) == (413, "invalid_request")


async def test_only_post_is_answered_and_the_query_means_nothing(app_side: AppSide) -> None:
    for path in (TOKEN, "/auth/o/revoke-token/"):
        assert (await app_side.http.simulate_get(path)).status_code == 405
        assert (await app_side.http.simulate_put(path)).status_code == 405
    assert (await app_side.http.simulate_post("/auth/o/app-installation/")).status_code == 405
    query = "grant_type=client_credentials"
    result = await app_side.http.simulate_post(TOKEN, query_string=query, headers={"Content-Type": FORM})
    assert result.json["error"] == "invalid_request"


async def test_the_trailing_slash_may_be_left_out(app_side: AppSide) -> None:
    assert (await app_side.post("/auth/o/token", app_side.own)).status == 400


async def test_two_secrets_work_until_the_first_is_ended(app_side: AppSide, site: Site, cast: Cast) -> None:
    second = await add_client_secret(site, cast.courier, cast.ana["id"])
    assert (await app_side.bot_token()).status == 200
    assert (await app_side.bot_token(client_secret=second)).status == 200
    first = (await list_client_secrets(site.db, cast.courier["id"]))[0]
    await end_client_secret(site, cast.courier, cast.ana["id"], first["id"])
    assert (await app_side.bot_token()).status == 401
    assert (await app_side.bot_token(client_secret=second)).status == 200


async def test_the_last_use_of_a_secret_is_kept_to_the_minute(
    app_side: AppSide, site: Site, cast: Cast, clock: Any
) -> None:
    async def last_used() -> Any:
        return (await list_client_secrets(site.db, cast.courier["id"]))[0]["last_used_at"]

    await app_side.bot_token()
    first = await last_used()
    clock.advance(seconds=30)
    await app_side.bot_token()
    assert await last_used() == first == clock.now().replace(second=0)
    clock.advance(seconds=31)
    await app_side.bot_token()
    assert await last_used() == clock.now()


async def test_guessing_is_slowed_for_that_client_and_source_only(app_side: AppSide) -> None:
    answers = [await app_side.bot_token(client_secret="guess") for _ in range(61)]
    assert answers[0].status == 401
    assert (answers[-1].status, int(answers[-1].headers["retry-after"]) > 0) == (429, True)
    elsewhere = await app_side.http.simulate_post(
        TOKEN,
        params={},
        body="&".join(f"{name}={value}" for name, value in (app_side.own | {
            "grant_type": "client_credentials", "app_installation_id": app_side.cast.installation["id"],
        }).items()),
        headers={"Content-Type": FORM},
        remote_addr="198.51.100.7",
    )  # fmt: skip
    assert elsewhere.status_code == 200
