"""TK7 and OP3: guessing is slow, honest clients elsewhere don't notice, and nobody passes for somebody else."""

import asyncio
import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from falcon import testing

from airside.audit.sources import Source, current_source, enter_request, guesser
from airside.errors import RateLimited
from airside.identity.sessions import GUESSES_OF_SOURCE, WrongSignIn, sign_in
from airside.identity.tables import guesses
from airside.runtime.site import Site
from airside.settings import Settings
from tests.cast import PASSWORD, Cast
from tests.oauth.conftest import TOKEN, AppSide
from tests.support.apps import app_of
from tests.support.clocks import FrozenClock
from tests.support.servers import Server

BAD, GOOD = "203.0.113.66", "198.51.100.7"


async def ask(side: AppSide, address: str, secret: str | None = None, **headers: str) -> Any:
    fields = side.own | {
        "grant_type": "client_credentials",
        "app_installation_id": side.cast.installation["id"],
    }
    if secret is not None:
        fields["client_secret"] = secret
    return await side.http.simulate_post(TOKEN, json=fields, headers=headers, remote_addr=address)


def says_when(answer: Any) -> bool:
    return answer.status_code == 429 and int(answer.headers["retry-after"]) >= 1


async def test_tk7_two_hundred_bad_secrets_lock_out_nobody_elsewhere(app_side: AppSide) -> None:
    answers = [await ask(app_side, BAD, f"guess {number}") for number in range(200)]
    assert {answer.status_code for answer in answers} == {401, 429}
    assert sum(answer.status_code == 401 for answer in answers) <= 60
    assert says_when(answers[-1])
    assert answers[-1].headers["cache-control"] == "no-store"
    assert (await ask(app_side, GOOD)).status_code == 200
    assert says_when(await ask(app_side, BAD, "one more guess"))
    assert (await ask(app_side, BAD)).status_code == 200  # nobody finds 256 bits by trying


async def test_tk7_another_client_at_the_same_address_is_let_in(app_side: AppSide) -> None:
    own = app_side.own["client_id"]
    for number in range(70):
        fields = {"grant_type": "client_credentials", "client_id": str(uuid4()), "client_secret": str(number)}
        answer = await app_side.http.simulate_post(TOKEN, json=fields, remote_addr=BAD)
        assert answer.status_code in (400, 401)
    assert (await ask(app_side, BAD)).status_code == 200, own


async def test_tk7_a_network_of_ipv6_is_one_guesser(app_side: AppSide) -> None:
    for number in range(61):
        last = await ask(app_side, f"2001:db8:1:2::{number:x}", "guess")
    assert says_when(last)
    assert (await ask(app_side, "2001:db8:1:3::1", "guess")).status_code == 401


async def test_tk7_sign_in_is_limited_for_that_person_from_there(
    site: Site, cast: Cast, clock: FrozenClock
) -> None:
    for _ in range(10):
        with pytest.raises(WrongSignIn):
            await sign_in(site, "ana@example.com", "wrong", source=BAD)
    with pytest.raises(RateLimited) as refused:
        await sign_in(site, "ana@example.com", PASSWORD, source=BAD)
    assert refused.value.retry_after == 300
    assert await sign_in(site, "ana@example.com", PASSWORD, source=GOOD)
    assert await sign_in(site, "ben@example.com", PASSWORD, source=BAD)
    clock.advance(minutes=5)
    assert await sign_in(site, "ana@example.com", PASSWORD, source=BAD)


async def test_tk7_who_signs_in_rightly_uses_up_nobodys_guesses(site: Site, cast: Cast) -> None:
    for _ in range(11):
        assert await sign_in(site, "ana@example.com", PASSWORD, source=BAD)
    counted = await site.db.find_all(guesses)
    assert [row["tried"] for row in counted] == [0]  # of the address; Ana's own are forgotten
    assert BAD not in str(counted)


async def test_tk7_one_password_tried_on_many_people_is_stopped(site: Site, cast: Cast) -> None:
    async with site.db.transaction() as tx:
        for _ in range(GUESSES_OF_SOURCE.allowed - 1):
            await GUESSES_OF_SOURCE.spend(tx, site, BAD)
    with pytest.raises(WrongSignIn):
        await sign_in(site, "somebody@example.com", "summer2026", source=BAD)
    with pytest.raises(RateLimited):
        await sign_in(site, "ana@example.com", PASSWORD, source=BAD)
    assert await sign_in(site, "ana@example.com", PASSWORD, source=GOOD)


async def test_tk7_guesses_at_once_are_counted_before_they_are_answered(site: Site, cast: Cast) -> None:
    tried = [sign_in(site, "gil@example.com", "wrong", source="203.0.113.67") for _ in range(30)]
    answers = await asyncio.gather(*tried, return_exceptions=True)
    assert [type(answer) for answer in answers].count(WrongSignIn) == 10
    assert [type(answer) for answer in answers].count(RateLimited) == 20


async def test_op3_a_forged_header_makes_nobody_somebody_else(app_side: AppSide) -> None:
    for number in range(60):
        await ask(app_side, BAD, "guess", **{"X-Forwarded-For": f"192.0.2.{number}"})
    assert says_when(await ask(app_side, BAD, "guess", **{"X-Forwarded-For": "192.0.2.200"}))
    assert (await ask(app_side, GOOD, "guess", **{"X-Forwarded-For": BAD})).status_code == 401


async def test_op3_a_trusted_proxy_is_believed_for_its_own_hop_only(app_side: AppSide, site: Site) -> None:
    site.settings.trusted_proxies[:] = ["10.0.0.0/8"]
    for number in range(61):
        forged = {"X-Forwarded-For": f"192.0.2.{number}, {BAD}"}  # the proxy appends what it saw
        last = await ask(app_side, "10.0.0.1", "guess", **forged)
    assert says_when(last)
    for address, hops in (("10.0.0.1", f"{BAD}, {GOOD}"), ("172.16.0.1", BAD)):
        assert (await ask(app_side, address, "guess", **{"X-Forwarded-For": hops})).status_code == 401


async def test_op3_the_api_says_when_to_come_back(app_side: AppSide, site: Site) -> None:
    token = (await app_side.bot_token()).body["access_token"]
    site.settings.api_rate_limit = "5/minute"
    async with testing.ASGIConductor(app_of(site)) as http:
        answers = [
            await http.simulate_get(
                "/api/v1/workspaces/acme/projects/",
                headers={"Authorization": f"Bearer {token}", "X-Forwarded-For": f"192.0.2.{number}"},
            )
            for number in range(8)
        ]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert all(says_when(answer) for answer in answers[5:])


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_op3_whose_failures_are_counted_together(address: str, counted_as: str) -> None:
    assert guesser(address) == counted_as


async def test_op3_each_task_has_its_own_source() -> None:
    class Asked:
        def __init__(self, address: str) -> None:
            self.remote_addr = address

        def get_header(self, name: str, /) -> str | None:
            return "agent\x00 smith" if name == "User-Agent" else None

    async def act(address: str) -> Source:
        enter_request(Asked(address), Settings())  # type: ignore[call-arg]
        await asyncio.sleep(0.01)
        return current_source()

    sources = await asyncio.gather(*(act(f"192.0.2.{number}") for number in range(50)))
    assert [source.address for source in sources] == [f"192.0.2.{number}" for number in range(50)]
    assert {source.user_agent for source in sources} == {"agent smith"}
    assert current_source() == Source()


def test_op3_a_real_server_keeps_requests_at_once_apart(server: Server) -> None:
    """A server may run requests in one shared context; then one's address would stand on another's act."""
    made = server.cli(
        "app",
        "create",
        "--workspace",
        "sandbox",
        "--name",
        "Courier",
        "--redirect-uri",
        "https://a.example/cb",
    )
    installed = server.cli(
        "app", "install", made["client_id"], "--workspace", "sandbox", "--as", "admin@example.com"
    )

    def revoke(number: int) -> None:
        headers = {"Content-Type": "application/json", "User-Agent": f"agent-{number}"}
        own = {name: made[name] for name in ("client_id", "client_secret")}

        def post(path: str, **fields: str) -> Any:
            body = json.dumps(own | fields).encode()
            request = urllib.request.Request(f"{server.url}{path}", body, headers)
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)

        asked = {"grant_type": "client_credentials", "app_installation_id": installed["app_installation_id"]}
        post("/auth/o/revoke-token/", token=post(TOKEN, **asked)["access_token"])

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(revoke, range(60)))
    exported = server.run("audit", "export", "--workspace", "sandbox").stdout.splitlines()

    ended = [entry for entry in map(json.loads, exported) if entry["action"] == "token.revoked"]
    assert sorted(entry["user_agent"] for entry in ended) == sorted(f"agent-{number}" for number in range(60))
    assert {entry["address"] for entry in ended} == {"127.0.0.1"}
