"""What every grant shares: reading the request, authenticating the client, the shape of answers."""

import base64
import statistics
import time
from typing import Any
from uuid import uuid4

import pytest

from airside.apps.secrets import add_client_secret, end_client_secret, list_client_secrets
from airside.apps.tables import app_secrets
from airside.oauth.clients import Credentials
from airside.oauth.errors import InvalidClient
from airside.oauth.grants.bot_token import issue_bot_token
from airside.runtime.site import Site
from airside.system.credentials import hash_credential
from tests.cast import PASSWORD, Cast
from tests.oauth.conftest import REVOKE, TOKEN, AppSide, basic

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
INTROSPECT = "/auth/o/introspect/"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
SAMPLES = 2000
OWN = "{Courier's installation}"


@pytest.mark.parametrize("as_json", [False, True])
async def test_tk1_form_and_json_mean_the_same(app_side: AppSide, as_json: bool) -> None:
    answer = await app_side.bot_token(as_json=as_json)
    assert answer.status == 200
    assert answer.body["access_token"].startswith("pln_bot_")
    assert {name: answer.body[name] for name in ("token_type", "expires_in", "scope")} == {
        "token_type": "Bearer",
        "expires_in": 86400,
        "scope": "read write",
    }


async def test_tk2_answers_may_not_be_stored(app_side: AppSide) -> None:
    wrong = {"client_secret": "x", "token": "x"}
    for path in (TOKEN, REVOKE, INTROSPECT):
        answers = [await app_side.post(path, app_side.own | more) for more in ({}, {"token": "x"}, wrong)]
        if path == TOKEN:
            answers = [await app_side.bot_token(), *answers, await app_side.bot_token(client_secret="x")]
        assert {answer.status for answer in answers} == {200, 400, 401}, path
        for answer in answers:
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["pragma"] == "no-cache"


async def test_tk4_http_basic_works_with_a_secret_of_special_characters(
    app_side: AppSide, site: Site
) -> None:
    secret = "a:b%c+d e/ü"
    async with site.db.transaction() as tx:
        changes = {"secret_hash": hash_credential(secret)}
        await tx.update(app_secrets, changes, app_id=app_side.cast.courier["id"])
    fields = {"grant_type": "client_credentials", "app_installation_id": app_side.cast.installation["id"]}
    header = basic(app_side.cast.client_id, secret)
    assert (await app_side.post(TOKEN, fields, Authorization=header)).status == 200


async def test_tk4_both_ways_to_authenticate_at_once_have_to_name_the_same_client_and_secret(
    app_side: AppSide,
) -> None:
    header = basic(app_side.cast.client_id, app_side.cast.client_secret)
    fields = {"grant_type": "client_credentials", "app_installation_id": app_side.cast.installation["id"]}
    same = app_side.own | fields
    assert (await app_side.post(TOKEN, same, Authorization=header)).status == 200
    for other in ({"client_secret": "wrong"}, {"client_id": "other"}):
        answer = await app_side.post(TOKEN, same | other, Authorization=header)
        assert (answer.status, answer.body["error"]) == (400, "invalid_request"), other
    both_wrong = basic(app_side.cast.client_id, "wrong")
    answer = await app_side.post(TOKEN, same | {"client_secret": "wrong"}, Authorization=both_wrong)
    assert (answer.status, answer.body["error"]) == (401, "invalid_client")


async def test_basic_may_repeat_the_client_id_in_the_body_but_not_another(app_side: AppSide) -> None:
    header = basic(app_side.cast.client_id, app_side.cast.client_secret)
    fields = {"grant_type": "client_credentials", "app_installation_id": app_side.cast.installation["id"]}
    own = fields | {"client_id": app_side.cast.client_id}
    assert (await app_side.post(TOKEN, own, Authorization=header)).status == 200
    other = fields | {"client_id": "other"}
    assert (await app_side.post(TOKEN, other, Authorization=header)).body["error"] == "invalid_request"


async def test_tk6_an_unknown_client_and_a_wrong_secret_look_the_same(app_side: AppSide) -> None:
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
async def test_tk3_a_basic_header_that_fails_is_challenged(app_side: AppSide, header: str) -> None:
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
        ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "invalid_request"),
        ({"grant_type": "client_credentials", "app_installation_id": "nonsense"}, "invalid_grant"),
        ({"grant_type": "client_credentials", "app_installation_id": OWN, "scope": "nonsense"}, "invalid_scope"),
        ({"grant_type": "client_credentials", "app_installation_id": OWN, "client_id": "x"}, "invalid_client"),
        ({"grant_type": "client_credentials", "app_installation_id": OWN, "client_secret": "x"}, "invalid_client"),
        ({"grant_type": DEVICE_CODE}, "invalid_request"),
        ({"grant_type": DEVICE_CODE, "device_code": "nonsense"}, "invalid_grant"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "nonsense"}, "invalid_grant"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "nonsense"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "pln_refresh_nonsense"}, "invalid_grant"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("as_json", [False, True])
async def test_tk3_each_wrong_request_has_its_error(
    app_side: AppSide, fields: dict[str, str], error: str, as_json: bool
) -> None:
    fields = {
        name: app_side.cast.installation["id"] if value == OWN else value for name, value in fields.items()
    }
    answer = await app_side.token(as_json=as_json, **fields)
    assert (answer.status, answer.body["error"]) == (401 if error == "invalid_client" else 400, error)
    assert answer.body.keys() == {"error", "error_description"}


@pytest.mark.parametrize("grant_type", ["password", "implicit", "token"])
@pytest.mark.parametrize("as_json", [False, True])
async def test_tk5_no_grant_takes_a_password_or_goes_without_a_code(
    app_side: AppSide, grant_type: str, as_json: bool
) -> None:
    fields = {"grant_type": grant_type, "username": "ana@example.com", "password": PASSWORD}
    answer = await app_side.token(as_json=as_json, **fields)
    assert (answer.status, answer.body["error"]) == (400, "unsupported_grant_type")


async def test_tk6_neither_takes_longer(site: Site, cast: Cast) -> None:
    """Two thousand of each, in turns, so that whatever else the machine does slows both alike."""
    took: dict[str, list[int]] = {cast.client_id: [], str(uuid4()): []}
    for number in range(SAMPLES):
        for client_id, times in took.items():
            wrong_credentials = Credentials(client_id, hash_credential(f"guess {number}"), False, f"{number}")
            started = time.perf_counter_ns()
            with pytest.raises(InvalidClient):
                await issue_bot_token(
                    site, wrong_credentials, {"app_installation_id": cast.installation["id"]}
                )
            times.append(time.perf_counter_ns() - started)
    known, unknown = (statistics.median(times) for times in took.values())
    assert abs(known - unknown) < 1_000_000, "less than a millisecond apart"


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


async def test_tk1_a_huge_body_is_not_read(app_side: AppSide) -> None:
    answer = await app_side.send(TOKEN, b"a=" + b"x" * 20_000, FORM)
    assert (answer.status, answer.body["error"]) == (413, "invalid_request")


async def test_tk1_only_post_is_answered_and_the_query_means_nothing(app_side: AppSide) -> None:
    for path in (TOKEN, "/auth/o/revoke-token/"):
        assert (await app_side.http.simulate_get(path)).status_code == 405
        assert (await app_side.http.simulate_put(path)).status_code == 405
    assert (await app_side.http.simulate_post("/auth/o/app-installation/")).status_code == 405
    query = "grant_type=client_credentials"
    result = await app_side.http.simulate_post(TOKEN, query_string=query, headers={"Content-Type": FORM})
    assert result.json["error"] == "invalid_request"


async def test_the_trailing_slash_may_be_left_out(app_side: AppSide) -> None:
    assert (await app_side.post("/auth/o/token", app_side.own)).status == 400


async def test_tk9_two_secrets_work_until_the_first_is_ended(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
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
