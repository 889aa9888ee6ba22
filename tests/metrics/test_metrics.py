"""/metrics: what every process counted together, current gauges, and who may read them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from falcon import testing
from prometheus_client.parser import text_string_to_metric_families

from airside.metrics.gauges import MAX_ENDPOINTS
from airside.metrics.keep import write_counts
from airside.runtime.counters import Counters
from airside.runtime.site import Site
from airside.webhooks.tables import webhook_endpoints
from tests.cast import Cast, make_cast
from tests.support.apps import app_of
from tests.support.clocks import FrozenClock
from tests.support.receivers import Receiver
from tests.webhooks.scenes import happen, listen, work

Sample = dict[tuple[str, tuple[str, ...]], float]


@pytest.fixture
async def cast(site: Site, receiver: Receiver) -> Cast:
    cast = await make_cast(site, webhook_url=receiver.url)
    await work(site)
    return cast


async def scrape(site: Site, **headers: str) -> tuple[int, Sample]:
    """The status, and every sample by its name and the values of its labels."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with testing.ASGIConductor(app_of(site)) as conductor:
        answer = await conductor.simulate_get("/metrics", headers=named)
    found: Sample = {}
    if answer.status_code == 200:
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        for family in text_string_to_metric_families(answer.text):
            for sample in family.samples:
                found[sample.name, tuple(sample.labels.values())] = sample.value
    return answer.status_code, found


async def test_attempts_are_counted_by_outcome_and_duration(
    site: Site, cast: Cast, receiver: Receiver
) -> None:
    _, before = await scrape(site)
    receiver.answers = [500, 410]
    for _ in range(2):
        await happen(site, "state.created", workspace_id=cast.acme["id"])
        await work(site)
    _, after = await scrape(site)

    def grown(name: str, *labels: str) -> float:
        return after[name, labels] - before.get((name, labels), 0)

    attempts = "airside_webhook_attempts_total"
    assert (grown(attempts, "retry"), grown(attempts, "disable")) == (1, 1)
    assert grown("airside_webhook_attempt_seconds_count") == 2
    assert grown("airside_webhook_attempt_seconds_bucket", "+Inf") == 2
    assert grown("airside_events_fanned_out_total") == grown("airside_webhook_deliveries_planned_total") == 2
    assert grown("airside_events_recorded_total") == 2
    assert after["airside_webhook_endpoints", ("gone",)] == 1


async def test_the_queue_is_measured_by_state_and_age(site: Site, cast: Cast, clock: FrozenClock) -> None:
    async with site.db.transaction() as tx:
        await tx.update(webhook_endpoints, {"url": "http://127.0.0.1:9/"}, workspace_id=cast.acme["id"])
    await happen(site, "state.created", workspace_id=cast.acme["id"])
    clock.advance(seconds=30)
    _, waiting = await scrape(site)
    assert waiting["airside_events_waiting", ()] == 1
    assert waiting["airside_events_oldest_waiting_seconds", ()] == 30
    await work(site)
    _, retrying = await scrape(site)
    queue = "airside_webhook_queue_deliveries"
    assert (retrying[queue, ("retrying",)], retrying[queue, ("due",)]) == (1, 0)
    clock.advance(seconds=100)
    _, due = await scrape(site)
    assert (due[queue, ("retrying",)], due[queue, ("due",)]) == (0, 1)
    assert 90 < due["airside_webhook_queue_oldest_due_seconds", ()] < 100
    endpoint = (cast.installation["webhook_id"], cast.acme["id"])  # labels come by their names
    assert due["airside_webhook_endpoint_failing_seconds", endpoint] == 100
    assert due["airside_webhook_endpoint_waiting", endpoint] == 1
    assert due["airside_webhook_endpoints", ("failing",)] == 1


async def test_however_many_endpoints_fail_the_list_is_short(site: Site, clock: FrozenClock) -> None:
    for _ in range(MAX_ENDPOINTS + 5):
        await listen(site, "https://courier.example/")
    async with site.db.transaction() as tx:
        await tx.update(webhook_endpoints, {"first_failure_at": clock.now() - timedelta(hours=1)})
    _, found = await scrape(site)
    listed = [key for key in found if key[0] == "airside_webhook_endpoint_failing_seconds"]
    assert len(listed) == MAX_ENDPOINTS
    assert found["airside_webhook_endpoints", ("failing",)] == MAX_ENDPOINTS + 5


async def test_any_process_reports_what_all_have_counted(site: Site) -> None:
    other = replace(site, counters=Counters())
    site.counters.add("airside_webhook_attempts", "delivered", by=3)
    other.counters.add("airside_webhook_attempts", "delivered", by=4)
    await write_counts(other)
    for one in (site, other):
        _, found = await scrape(one)
        assert found["airside_webhook_attempts_total", ("delivered",)] == 7


async def test_what_could_not_be_written_is_counted_later(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.counters.add("airside_webhook_attempts", "delivered")
    with monkeypatch.context() as broken:
        broken.setattr(type(site.db), "transaction", _raise)
        with pytest.raises(ConnectionError):
            await write_counts(site)
    _, found = await scrape(site)
    assert found["airside_webhook_attempts_total", ("delivered",)] == 1


def _raise(_: object) -> None:
    raise ConnectionError("the database is away")


async def test_tokens_and_api_answers_are_counted(site: Site, cast: Cast) -> None:
    app = app_of(site)
    async with testing.ASGIConductor(app) as conductor:
        await conductor.simulate_post("/auth/o/token/", body=b"grant_type=client_credentials")
        await conductor.simulate_post(
            "/auth/o/token/",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=f"grant_type=client_credentials&client_id={cast.client_id}&client_secret={cast.client_secret}"
            f"&app_installation_id={cast.installation['id']}".encode(),
        )
        await conductor.simulate_get("/api/v1/users/me/")
        await conductor.simulate_get("/sign-in/")
    _, found = await scrape(site)
    assert found["airside_oauth_token_requests_total", ("issued",)] == 1
    refused = {key[1][0] for key in found if key[0] == "airside_oauth_token_requests_total"} - {"issued"}
    assert len(refused) == 1
    assert found["airside_api_requests_total", ("4xx",)] == 1
    assert ("airside_api_requests_total", ("2xx",)) not in found


async def test_only_allowed_networks_read_metrics_and_no_forwarded_request(site: Site) -> None:
    assert (await scrape(site))[0] == 200, "the test's own address is 127.0.0.1"
    for name in ("X_Forwarded_For", "Forwarded", "X_Real_IP", "Via"):
        assert (await scrape(site, **{name: "127.0.0.1"}))[0] == 404
    site.settings.trusted_proxies.append("127.0.0.1/32")
    assert (await scrape(site, X_Forwarded_For="203.0.113.9"))[0] == 404
    assert (await scrape(site, X_Forwarded_For="203.0.113.9, 127.0.0.1"))[0] == 404
    site.settings.metrics_networks.append("203.0.113.0/24")
    assert (await scrape(site, X_Forwarded_For="203.0.113.9"))[0] == 200
    site.settings.metrics_networks[:] = []
    assert (await scrape(site))[0] == 404


async def test_with_a_token_only_the_token_opens_it(site: Site) -> None:
    site.settings.metrics_token = "s3cret"
    assert (await scrape(site))[0] == 401
    for wrong in ("Bearer nonsense", "Basic s3cret", "Bearer", "Bearer \u00e9"):
        assert (await scrape(site, Authorization=wrong))[0] == 401
    assert (await scrape(site, Authorization="Bearer s3cret", X_Forwarded_For="203.0.113.9"))[0] == 200
