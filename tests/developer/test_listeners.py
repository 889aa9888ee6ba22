"""The server side of `airside listen`: deliveries are queued, streamed, answered, and not lost on a disconnect."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from standardwebhooks.webhooks import Webhook

from airside.db.base import Row, new_id
from airside.developer.deliveries import list_app_deliveries, redeliver_to_app_since, send_app_sample
from airside.developer.listener_routes import LISTENER_ROUTES, MAX_ANSWERS
from airside.developer.listeners import Opened, close_listener, open_listener
from airside.developer.registration import update_app
from airside.developer.webhook_secret import renew_webhook_secret
from airside.errors import AirsideError, Forbidden, Invalid, NotFound, RateLimited, Refused, Unavailable
from airside.installations.install import install_app
from airside.installations.suspend import suspend_app, unsuspend_app
from airside.installations.uninstall import uninstall_app
from airside.rest.call import Call
from airside.runtime.site import Site
from airside.system.credentials import Sealer
from airside.webhooks.deliver import UNSIGNED
from airside.webhooks.deliveries import Search, list_attempts, redeliver
from airside.webhooks.fanout import fan_out
from airside.webhooks.forward import LEASE, UNANSWERED, WINDOW, Handed, hand_over, take_answer
from airside.webhooks.listeners import KEPT, end_forgotten, wake_up_of
from airside.webhooks.queue import DELIVER
from airside.webhooks.queue.database import DatabaseQueue
from airside.webhooks.send import MAX_ANSWER_BYTES, MAX_ANSWER_HEADERS, MAX_HEADER_LENGTH, ReceiverResponse
from airside.webhooks.signing import SECRET, sign_body, spell_whsec
from airside.webhooks.tables import webhook_endpoints
from airside.work.access import RoleAccess
from airside.workspaces.roles import MEMBER
from airside.workspaces.tables import workspace_members
from tests.cast import Cast, make_cast
from tests.support.api import Client, serve_api
from tests.support.clocks import FrozenClock
from tests.webhooks.scenes import happen, work

GOOD = ReceiverResponse(status=200, body="thank you", headers=[("X-Trace", "7")], duration_ms=12)
FORWARD_TO = "http://127.0.0.1:9000/hook"


@pytest.fixture
async def cast(site: Site) -> Cast:
    """Courier has no webhook URL, as on a first day."""
    cast = await make_cast(site, webhook_url=None)
    await work(site)
    return cast


@pytest.fixture
async def ana(site: Site, cast: Cast) -> AsyncIterator[Client]:
    async with serve_api(site, *LISTENER_ROUTES).acting_as(cast.ana["id"]) as client:
        yield client


async def listen(site: Site, cast: Cast, **kw: Any) -> Opened:
    asked: dict[str, Any] = {
        "name": "laptop", "forward_to": FORWARD_TO, "event_names": None, "session": new_id(),
    } | kw  # fmt: skip
    return await open_listener(site, cast.courier, cast.ana["id"], **asked)


async def emit(site: Site, cast: Cast, name: str = "state.created", **kw: Any) -> str:
    """Something happens in Acme and is fanned out; the event's id."""
    event_id = await happen(site, name, **{"workspace_id": cast.acme["id"], **kw})
    while await fan_out(site, DatabaseQueue(site)):
        pass
    return event_id


async def log_of(site: Site, cast: Cast, event_id: str) -> Row:
    search = Search(mentioned=event_id)
    [found] = await list_app_deliveries(site.db, cast.courier["id"], search=search)
    return found


def raw(handed: Handed) -> bytes:
    return base64.b64decode(handed.body)


async def test_an_app_without_a_url_is_received_signed_as_usual(
    site: Site, cast: Cast, clock: FrozenClock
) -> None:
    clock.time = datetime.now(UTC)  # the library asks the machine's clock
    opened = await listen(site, cast)
    assert (opened.installations, opened.waiting) == (1, 0)
    assert opened.last_four == cast.webhook_secret[-4:]
    event_id = await emit(site, cast)
    await work(site)
    assert (await log_of(site, cast, event_id))["state"] == "pending", "no worker takes it"
    [handed] = await hand_over(site, opened.listener)
    assert handed.headers["X-Plane-Signature"] == sign_body(raw(handed), cast.webhook_secret)
    headers = {name.lower(): value for name, value in handed.headers.items()}
    Webhook(spell_whsec(cast.webhook_secret)).verify(raw(handed), headers)
    assert headers["webhook-id"] == event_id
    assert await hand_over(site, opened.listener) == [], "it is under way"
    assert await take_answer(site, opened.listener, handed.attempt_id, GOOD)
    found = await log_of(site, cast, event_id)
    assert (found["state"], found["http_status"], found["duration_ms"]) == ("delivered", 200, 12)
    [attempt] = await list_attempts(site.db, cast.acme["id"], found["id"])
    assert (attempt["url"], attempt["response_body"]) == (FORWARD_TO, "thank you")
    assert attempt["response_headers"] == [["X-Trace", "7"]]
    assert attempt["request_body"].encode() == raw(handed)


async def test_it_listens_beside_a_url_and_takes_nothing_from_it(site: Site, cast: Cast) -> None:
    await update_app(site, cast.courier["id"], cast.ana["id"], {"webhook_url": "https://courier.example/"})
    opened = await listen(site, cast)
    event_id = await emit(site, cast)
    search = Search(mentioned=event_id)
    found = await list_app_deliveries(site.db, cast.courier["id"], search=search)
    assert {row["url"] for row in found} == {"https://courier.example/", "listen:laptop"}
    assert [one.event_id for one in await hand_over(site, opened.listener)] == [event_id]
    await update_app(site, cast.courier["id"], cast.ana["id"], {"webhook_url": None})
    event_id = await emit(site, cast)
    await update_app(site, cast.courier["id"], cast.ana["id"], {"webhook_version": "v2"})
    assert [one.event_id for one in await hand_over(site, opened.listener)] == [event_id]


async def test_an_answer_that_fails_is_retried_on_the_schedule(
    site: Site, cast: Cast, clock: FrozenClock
) -> None:
    opened = await listen(site, cast)
    event_id = await emit(site, cast)
    [first] = await hand_over(site, opened.listener)
    await take_answer(
        site, opened.listener, first.attempt_id, ReceiverResponse(error="The address could not be reached.")
    )
    found = await log_of(site, cast, event_id)
    assert found["state"] == "retrying"
    [attempt] = await list_attempts(site.db, cast.acme["id"], found["id"])
    response = [attempt[f"response_{part}"] for part in ("status", "headers", "body")]
    assert response == [None] * 3, "nothing was received"
    assert await hand_over(site, opened.listener) == []
    clock.advance(seconds=6.1)
    [second] = await hand_over(site, opened.listener)
    assert (second.attempt, second.event_id) == (2, event_id)
    assert second.attempt_id != first.attempt_id
    await take_answer(site, opened.listener, second.attempt_id, ReceiverResponse(status=410))
    assert (await log_of(site, cast, event_id))["state"] == "failed"
    assert len(await hand_over(site, (await listen(site, cast)).listener)) == 0
    await emit(site, cast)
    assert len(await hand_over(site, opened.listener)) == 1, "410 does not end a listener"


async def test_without_the_key_of_a_secret_its_deliveries_are_kept_back_and_the_rest_goes_on(
    site: Site, cast: Cast, clock: FrozenClock
) -> None:
    opened = await listen(site, cast)
    sealed = await _seal_secrets_with(site, Sealer("1" * 64).seal("plane_wh_lost", SECRET))
    event_id = await emit(site, cast)
    assert await hand_over(site, opened.listener) == []
    found = await log_of(site, cast, event_id)
    [made] = await list_attempts(site.db, found["workspace_id"], found["id"])
    assert (found["state"], made["error"]) == ("retrying", UNSIGNED)
    await _seal_secrets_with(site, sealed)
    later = await emit(site, cast)
    assert [one.event_id for one in await hand_over(site, opened.listener)] == [later]
    clock.advance(seconds=6.1)
    assert [one.event_id for one in await hand_over(site, opened.listener)] == [event_id]


async def _seal_secrets_with(site: Site, sealed: str) -> str:
    """What the endpoints' secrets were sealed as before."""
    [endpoint, *_] = found = await site.db.find_all(webhook_endpoints)
    async with site.db.transaction() as tx:
        for one in found:
            keys = {"workspace_id": one["workspace_id"], "id": one["id"]}
            await tx.update(webhook_endpoints, {"secret_sealed": sealed}, **keys)
    return endpoint["secret_sealed"]


async def test_what_a_laptop_took_along_is_handed_over_again_and_uses_up_no_retry(
    site: Site, cast: Cast, clock: FrozenClock
) -> None:
    opened = await listen(site, cast)
    event_id = await emit(site, cast)
    taken_along: list[Handed] = []
    for _ in range(15):
        taken_along += await hand_over(site, opened.listener)
        clock.advance(seconds=LEASE.total_seconds() + 1)
    assert [one.attempt for one in taken_along] == [1] * 15
    lost = taken_along[-1]
    found = await log_of(site, cast, event_id)
    attempts = await list_attempts(site.db, cast.acme["id"], found["id"])
    assert {row["error"] for row in attempts} == {UNANSWERED}
    again = await listen(site, cast)
    assert again.waiting == 1
    [handed] = await hand_over(site, again.listener)
    assert await take_answer(site, again.listener, lost.attempt_id, ReceiverResponse(status=500)), (
        "late, and not the last"
    )
    assert (await log_of(site, cast, event_id))["state"] == "retrying"
    assert await take_answer(site, again.listener, lost.attempt_id, GOOD), "the same attempt counts once"
    await take_answer(site, again.listener, handed.attempt_id, GOOD)
    assert (await log_of(site, cast, event_id))["state"] == "delivered"


async def test_a_new_session_gets_at_once_what_the_old_one_left(site: Site, cast: Cast) -> None:
    session = new_id()
    opened = await listen(site, cast, session=session)
    event_id = await emit(site, cast)
    [handed] = await hand_over(site, opened.listener)
    again = await listen(site, cast, session=session)
    assert await hand_over(site, again.listener) == [], "the same run still has it"
    taken_up = await listen(site, cast)
    [repeated] = await hand_over(site, taken_up.listener)
    assert repeated.event_id == event_id
    await take_answer(site, opened.listener, handed.attempt_id, GOOD)
    assert (await log_of(site, cast, event_id))["state"] == "delivered", "a late success is one"


async def test_no_more_than_a_window_is_under_way_and_in_order(
    site: Site, cast: Cast, clock: FrozenClock
) -> None:
    opened = await listen(site, cast)
    happened: list[str] = []
    for _ in range(WINDOW + 3):
        clock.advance(seconds=1)
        happened.append(await emit(site, cast))
    handed = await hand_over(site, opened.listener)
    assert [one.event_id for one in handed] == happened[:WINDOW]
    assert await hand_over(site, opened.listener) == []
    await take_answer(site, opened.listener, handed[4].attempt_id, GOOD)
    assert [one.event_id for one in await hand_over(site, opened.listener)] == [happened[WINDOW]]


async def test_two_computers_receive_everything_and_another_app_s_reports_change_nothing(
    site: Site, cast: Cast
) -> None:
    one, two = await listen(site, cast), await listen(site, cast, name="desk")
    event_id = await emit(site, cast)
    [first], [second] = await hand_over(site, one.listener), await hand_over(site, two.listener)
    assert first.event_id == second.event_id == event_id
    assert not await take_answer(site, two.listener, first.attempt_id, GOOD)
    assert not await take_answer(site, two.listener, new_id(), GOOD)


async def test_installing_suspending_and_uninstalling_are_followed(site: Site, cast: Cast) -> None:
    opened = await listen(site, cast, event_names=["state.created"])
    await install_app(site, cast.courier, cast.other["id"], cast.zoe["id"])
    there = await emit(site, cast, workspace_id=cast.other["id"])
    await emit(site, cast, "label.created")
    handed = await hand_over(site, opened.listener)
    assert [(one.event, one.workspace_id) for one in handed] == [
        ("app.installed", cast.other["id"]), ("state.created", cast.other["id"]),
    ]  # fmt: skip
    assert handed[1].event_id == there
    for one in handed:
        await take_answer(site, opened.listener, one.attempt_id, GOOD)
    here = cast.installation["id"]
    await emit(site, cast)
    await suspend_app(site, cast.acme["id"], here, cast.ana["id"])
    await emit(site, cast)
    [suspended] = await hand_over(site, opened.listener)
    assert suspended.event == "app.suspended"
    await take_answer(site, opened.listener, suspended.attempt_id, GOOD)
    await unsuspend_app(site, cast.acme["id"], here, cast.ana["id"])
    await uninstall_app(site, cast.acme["id"], here, cast.ana["id"])
    await emit(site, cast)
    assert {one.event for one in await hand_over(site, opened.listener)} == {
        "app.unsuspended",
        "app.uninstalled",
    }


async def test_what_waits_can_be_dropped_and_a_forgotten_listener_ends(
    site: Site, cast: Cast, clock: FrozenClock
) -> None:
    opened = await listen(site, cast)
    dropped = await emit(site, cast)
    assert (await listen(site, cast, from_now=True)).waiting == 0
    assert (await log_of(site, cast, dropped))["state"] == "cancelled"
    waiting = await emit(site, cast)
    clock.advance(seconds=KEPT.total_seconds() - 1)
    assert await end_forgotten(site) == 0
    clock.advance(seconds=2)
    assert await end_forgotten(site) == 1
    assert (await log_of(site, cast, waiting))["state"] == "cancelled"
    skipped = await emit(site, cast)
    assert await list_app_deliveries(site.db, cast.courier["id"], search=Search(mentioned=skipped)) == []
    with pytest.raises(Refused):
        await send_app_sample(site, cast.courier, cast.ana["id"], "cycle.created")
    back = await listen(site, cast)
    assert back.listener["id"] == opened.listener["id"]
    since = site.clock.now() - timedelta(days=6)
    assert await redeliver_to_app_since(site, cast.courier, cast.ana["id"], since) == 2
    assert {one.event_id for one in await hand_over(site, back.listener)} == {dropped, waiting}
    await close_listener(site, cast.courier, back.listener["id"], cast.ana["id"])
    with pytest.raises(NotFound):
        await close_listener(site, cast.courier, back.listener["id"], cast.ana["id"])


async def test_only_an_admin_of_the_apps_workspace_listens(site: Site, cast: Cast) -> None:
    for person in (cast.ben, cast.zoe):
        api = serve_api(site, *LISTENER_ROUTES)
        async with api.acting_as(person["id"]) as client:
            assert (await client.get(f"applications/{cast.client_id}")).status_code == 404
            body = {"name": "x", "forward_to": FORWARD_TO, "session": new_id()}
            answer = await client.post(f"workspaces/acme/applications/{cast.client_id}/listeners", body)
            assert answer.status_code == 403


@pytest.mark.parametrize(
    ("field", "value"),
    [("forward_to", "file:///etc"), ("name", "a\nb"), ("events", ["nonsense"]), ("events", [])],
)
async def test_an_invalid_listener_is_refused_by_field(
    ana: Client, cast: Cast, field: str, value: Any
) -> None:
    body = {"name": "x", "forward_to": FORWARD_TO, "session": new_id(), field: value}
    answer = await ana.post(f"workspaces/acme/applications/{cast.client_id}/listeners", body)
    assert (answer.status_code, list(answer.json)) == (400, [field])


async def test_the_stream_hands_over_and_says_why_it_ends(site: Site, cast: Cast, ana: Client) -> None:
    base = f"workspaces/acme/applications/{cast.client_id}/listeners"
    session = new_id()
    sent = {"name": "laptop", "forward_to": FORWARD_TO, "session": session}
    listener = (await ana.post(base, sent)).json
    event_id = await emit(site, cast)
    here = f"{base}/{listener['id']}"
    answer = await ana.get(f"{here}/stream", seconds="0", session=session)
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.headers["x-accel-buffering"] == "no"
    [delivery, end] = read_events(answer.text)
    assert delivery["event_id"] == event_id
    assert end == {"reason": "time"}
    said = {"attempt_id": delivery["attempt_id"], "status": 201, "body": "made", "duration_ms": 5}
    assert (await ana.post(f"{here}/answers", {"answers": [said]})).json == {"taken": 1}
    assert (await log_of(site, cast, event_id))["state"] == "delivered"
    await ana.post(base, {**sent, "session": new_id()})
    refused = await ana.get(f"{here}/stream", seconds="0", session=session)
    assert refused.status_code == 400
    for wrong in ({"attempt_id": "zz"}, {"attempt_id": new_id(), "status": 7}, {"attempt_id": 1}, 1):
        assert (await ana.post(f"{here}/answers", {"answers": [wrong]})).status_code == 400
    site.wakeups.stop()
    [end] = read_events((await ana.get(f"{here}/stream")).text)
    assert end == {"reason": "stopping"}


async def test_rv3_a_stream_ends_when_its_person_ceases_to_manage_the_app(
    site: Site, cast: Cast, ana: Client
) -> None:
    base = f"workspaces/acme/applications/{cast.client_id}/listeners"
    session = new_id()
    listener = (await ana.post(base, {"name": "x", "forward_to": FORWARD_TO, "session": session})).json
    followed = asyncio.create_task(ana.get(f"{base}/{listener['id']}/stream", seconds="5", session=session))
    await asyncio.sleep(0.2)
    async with site.db.transaction() as tx:
        here = {"workspace_id": cast.acme["id"], "user_id": cast.ana["id"]}
        await tx.update(workspace_members, {"role": MEMBER}, **here)
    await emit(site, cast)
    assert read_events((await followed).text) == [{"reason": "refused"}]


async def test_av1_everything_in_an_answer_has_a_bound_of_its_own(
    site: Site, cast: Cast, ana: Client
) -> None:
    base = f"workspaces/acme/applications/{cast.client_id}/listeners"
    listener = (await ana.post(base, {"name": "x", "forward_to": FORWARD_TO, "session": new_id()})).json
    answers, known = f"{base}/{listener['id']}/answers", {"attempt_id": new_id()}
    value, body = "v" * MAX_HEADER_LENGTH, "é" * MAX_ANSWER_BYTES
    good: dict[str, Any] = {
        "headers": [[value, value]] * MAX_ANSWER_HEADERS, "body": body, "error": "e" * 255,
        "timings": {f"{number:020}": 1 for number in range(8)},
    }  # fmt: skip
    assert (await ana.post(answers, {"answers": [known | good]})).json == {"taken": 0}
    assert (await ana.post(answers, {"answers": [known] * MAX_ANSWERS})).json == {"taken": 0}
    assert (await ana.post(answers, {"answers": [known] * (MAX_ANSWERS + 1)})).status_code == 400
    for wrong in (
        {"attempt_id": "0" * 37}, {"headers": [["h", value + "v"]]}, {"headers": [[value + "v", "v"]]},
        {"headers": [["h", "v"]] * (MAX_ANSWER_HEADERS + 1)}, {"body": body + "b"}, {"error": "e" * 256},
        {"timings": {"t" * 21: 1}}, {"timings": {str(number): 1 for number in range(9)}},
    ):  # fmt: skip
        refused = await ana.post(answers, {"answers": [known | wrong]})
        assert (refused.status_code, "answers" in refused.json) == (400, True), wrong


class Refusing(RoleAccess):
    """Lets in until it is given a refusal."""

    refusal: AirsideError | None = None

    async def enter_workspace(self, call: Call, slug: str) -> None:
        if self.refusal is not None:
            raise self.refusal
        await super().enter_workspace(call, slug)


async def test_only_what_is_not_there_for_somebody_is_answered_as_not_there(site: Site, cast: Cast) -> None:
    access, base = Refusing(), f"workspaces/acme/applications/{cast.client_id}/listeners"
    api = serve_api(site, *LISTENER_ROUTES, access=access)
    async with api.acting_as(cast.ana["id"]) as ana:
        listener = (await ana.post(base, {"name": "x", "forward_to": FORWARD_TO, "session": new_id()})).json
        for refusal, status, reason in (
            (RateLimited(7), 429, "time"), (Unavailable(), 503, "time"),
            (Forbidden(), 404, "refused"), (NotFound(), 404, "refused"),
        ):  # fmt: skip
            access.refusal = None
            followed = asyncio.create_task(ana.get(f"{base}/{listener['id']}/stream", seconds="5"))
            await asyncio.sleep(0.2)
            access.refusal = refusal
            assert (await ana.get(f"applications/{cast.client_id}")).status_code == status
            assert read_events((await followed).text) == [{"reason": reason}]


async def test_a_computer_that_says_goodbye_is_handed_nothing_more(
    site: Site, cast: Cast, ana: Client
) -> None:
    base = f"workspaces/acme/applications/{cast.client_id}/listeners"
    session = new_id()
    sent = {"name": "laptop", "forward_to": FORWARD_TO, "session": session}
    listener = (await ana.post(base, sent)).json
    event_id = await emit(site, cast)
    here = f"{base}/{listener['id']}"
    [delivery, _] = read_events((await ana.get(f"{here}/stream", seconds="0", session=session)).text)
    await ana.post(f"{here}/answers", {"answers": [], "leaving": True})
    assert (await ana.get(f"{here}/stream", seconds="0", session=session)).status_code == 400
    opened = await listen(site, cast)
    [handed] = await hand_over(site, opened.listener)
    assert handed.event_id == delivery["event_id"] == event_id
    assert handed.attempt_id != delivery["attempt_id"]


async def test_a_stream_whose_computer_is_silent_ends(
    site: Site, cast: Cast, ana: Client, clock: FrozenClock
) -> None:
    base = f"workspaces/acme/applications/{cast.client_id}/listeners"
    listener = (await ana.post(base, {"name": "x", "forward_to": FORWARD_TO, "session": new_id()})).json
    await emit(site, cast)
    clock.advance(seconds=61)
    [end] = read_events((await ana.get(f"{base}/{listener['id']}/stream")).text)
    assert end == {"reason": "silent"}
    await ana.post(f"{base}/{listener['id']}/answers", {"answers": []})
    [delivery, _] = read_events((await ana.get(f"{base}/{listener['id']}/stream", seconds="0")).text)
    assert delivery["event"] == "state.created"


async def test_too_many_computers_are_refused(
    site: Site, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airside.developer.listeners.MAX_LISTENERS", 1)
    await listen(site, cast)
    await listen(site, cast)
    with pytest.raises(Refused):
        await listen(site, cast, name="desk")
    with pytest.raises(Invalid):
        await listen(site, cast, name=" ")


def read_events(text: str) -> list[Any]:
    return [msgspec.json.decode(line[6:]) for line in text.splitlines() if line.startswith("data: ")]


async def test_runs_of_an_agent_without_a_url_are_sent_to_the_laptop(site: Site, cast: Cast) -> None:
    opened = await listen(site, cast)
    assert await name_handed(site, opened) == []
    await record_run(site, cast)
    assert await name_handed(site, opened) == ["agent_run_create"]


async def test_a_laptop_receives_runs_alone_or_not_at_all(site: Site, cast: Cast) -> None:
    await update_app(site, cast.courier["id"], cast.ana["id"], {"webhook_event_names": ["workitem.created"]})
    one = await listen(site, cast, event_names=["agent_run_create"])
    none = await listen(site, cast, name="desk", event_names=["state.created"])
    follows = await listen(site, cast, name="phone")
    for name in ("state.created", "workitem.created"):
        await emit(site, cast, name)
    await record_run(site, cast)
    assert await name_handed(site, one) == ["agent_run_create"]
    assert await name_handed(site, none) == ["state"]
    assert await name_handed(site, follows) == ["issue", "agent_run_create"], "as the app chose"


async def record_run(site: Site, cast: Cast) -> None:
    run = {"id": new_id(), "type": "agent_run"}
    named = {"installation_id": cast.installation["id"], "data": run, "data_v2": run}
    await emit(site, cast, "agent_run_create", **named)


async def name_handed(site: Site, opened: Opened) -> list[str]:
    """What the headers name of what is handed over now."""
    return [one.headers["X-Plane-Event"] for one in await hand_over(site, opened.listener)]


async def test_while_two_secrets_sign_a_laptop_receives_both_signatures(site: Site, cast: Cast) -> None:
    assert (await listen(site, cast)).earlier_last_four is None
    fresh = await renew_webhook_secret(site, cast.courier["id"], cast.ana["id"])
    opened = await listen(site, cast, name="desk")
    assert (opened.last_four, opened.earlier_last_four) == (fresh[-4:], cast.webhook_secret[-4:])
    await emit(site, cast)
    [handed] = await hand_over(site, opened.listener)
    assert handed.headers["X-Plane-Signature"] == sign_body(raw(handed), cast.webhook_secret)


async def test_an_open_log_is_updated_when_a_delivery_is_handed_over(site: Site, cast: Cast) -> None:
    opened = await listen(site, cast)
    event_id = await emit(site, cast)
    announced: list[str] = []
    site.wakeups.subscribe(announced.append)
    await hand_over(site, opened.listener)
    assert f"deliveries:{(await log_of(site, cast, event_id))['endpoint_id']}" in announced


async def test_a_forwarded_delivery_is_completed_by_its_last_answer_alone(
    site: Site, cast: Cast, clock: FrozenClock
) -> None:
    opened = await listen(site, cast)
    event_id = await emit(site, cast)
    [first] = await hand_over(site, opened.listener)
    await take_answer(site, opened.listener, first.attempt_id, ReceiverResponse(status=500))
    assert (await log_of(site, cast, event_id))["completed_at"] is None
    clock.advance(seconds=60)
    [second] = await hand_over(site, opened.listener)
    await take_answer(site, opened.listener, second.attempt_id, GOOD)
    assert (await log_of(site, cast, event_id))["completed_at"] == clock.now()


async def test_a_redelivery_wakes_the_listener_and_not_the_workers(site: Site, cast: Cast) -> None:
    opened = await listen(site, cast)
    event_id = await emit(site, cast)
    [handed] = await hand_over(site, opened.listener)
    await take_answer(site, opened.listener, handed.attempt_id, GOOD)
    found, woken = await log_of(site, cast, event_id), wake_up_of(opened.listener["id"])
    for name in (woken, DELIVER):
        with suppress(TimeoutError):
            await site.wakeups.wait(name, 0.01)
    async with site.db.transaction() as tx:
        keys = {"workspace_id": cast.acme["id"], "delivery_id": found["id"]}
        await redeliver(tx, site.wakeups, now=site.clock.now(), **keys)
    assert site.wakeups._event(woken).is_set()
    assert not site.wakeups._event(DELIVER).is_set()
