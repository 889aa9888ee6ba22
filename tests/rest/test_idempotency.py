"""Idempotency-Key: whose a key is, what is the same request, and what is stored of its answer."""

import asyncio
from typing import Any

import pytest

from airside.db.base import Row, new_id
from airside.db.database import Transaction
from airside.rest.idempotency import HEADER, MAX_KEY_LENGTH
from airside.rest.stored_answers import BATCH, KEEP, MAX_BODY_BYTES, SEAL, idempotency_keys, purge_answers
from airside.system.credentials import WEBHOOK_SECRET
from airside.work.projects.labels import labels
from airside.workspaces.members import add_member
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_same_request_is_found_whatever_the_order_of_its_names(workshop: Workshop) -> None:
    key, path, name = new_id(), f"/api/v1/{workshop.path('labels')}/", unique("Label")
    sent = [
        f'{{"name": "{name}", "color": "#123456"}}'.encode(),
        f'{{ "color":"#123456","name":"{name}"}}'.encode(),
    ]
    first, second = [await workshop.ana.raw("POST", path, body=one, idempotency_key=key) for one in sent]
    assert first.status_code == second.status_code == 201
    assert first.content == second.content


async def test_a_key_in_quotes_is_the_same_key(workshop: Workshop) -> None:
    """The draft's field is a structured string; most clients send it bare."""
    key, body = new_id(), {"name": unique("Label")}
    first = await workshop.ana.send_once(key, "POST", workshop.path("labels"), body)
    quoted = await workshop.ana.send_once(f'"{key}"', "POST", workshop.path("labels"), body)
    assert first.json == quoted.json


@pytest.mark.parametrize(
    "key", ["", '""', '"', '"a', 'a"', 'a"b', "a,b", "a\\b", "x" * (MAX_KEY_LENGTH + 1), "caf\xe9", "a\tb"]
)
async def test_a_malformed_key_is_refused_by_name(workshop: Workshop, key: str) -> None:
    answer = await workshop.ana.send_once(key, "POST", workshop.path("labels"), {"name": unique("Label")})
    assert answer.status_code == 400
    assert list(answer.json) == [HEADER]


async def test_a_read_has_no_use_for_a_key(workshop: Workshop) -> None:
    for _ in range(2):
        answer = await workshop.ana.send_once("x", "GET", workshop.path("labels"))
        assert answer.status_code == 200
        assert "idempotent-replayed" not in answer.headers


async def test_another_path_or_query_is_another_request(workshop: Workshop) -> None:
    key, body = new_id(), {"color": "#654321"}
    made = [await workshop.make("labels", name=unique("Label")) for _ in range(2)]
    first = await workshop.ana.send_once(key, "PATCH", workshop.path(f"labels/{made[0]['id']}"), body)
    assert first.status_code == 200
    other = await workshop.ana.send_once(key, "PATCH", workshop.path(f"labels/{made[1]['id']}"), body)
    asked = await workshop.ana.send_once(
        key, "PATCH", workshop.path(f"labels/{made[0]['id']}"), body, fields="id"
    )
    assert (other.status_code, asked.status_code) == (422, 422)


@pytest.mark.parametrize(("method", "collection"), [("POST", "states"), ("PATCH", "labels")])
async def test_another_operation_is_another_request(workshop: Workshop, method: str, collection: str) -> None:
    key, body = new_id(), {"name": unique("Same key"), "color": "#123456"}
    path = workshop.path(collection)
    made = await workshop.ana.send_once(key, "POST", workshop.path("labels"), body)
    assert made.status_code == 201
    tail = f"/{made.json['id']}" if method == "PATCH" else ""
    assert (await workshop.ana.send_once(key, method, path + tail, body)).status_code == 422


async def test_a_key_is_its_callers_alone(workshop: Workshop) -> None:
    """Neither another person, nor the same person through an app, gets the answer or a hint that there is one."""
    key, path = new_id(), workshop.path("labels")
    first = await workshop.ana.send_once(key, "POST", path, {"name": unique("Label")})
    assert first.status_code == 201
    async with workshop.api.acting_as(
        workshop.cast.ana["id"], kind="user", installation_id=workshop.cast.installation["id"]
    ) as app:
        for other in (workshop.ben, app):
            body = {"name": unique("Label")}
            answer = await other.send_once(key, "POST", path, body)
            assert (answer.status_code, answer.json["name"]) == (201, body["name"])
    refused = await workshop.zoe.send_once(key, "POST", path, {"name": unique("Label")})
    assert refused.status_code == 403


async def test_a_key_is_its_workspaces_alone(workshop: Workshop) -> None:
    zoe = workshop.cast.zoe["id"]
    await add_member(workshop.site, workshop.cast.acme["id"], zoe, 20, by_user_id=workshop.cast.ana["id"])
    key, names = new_id(), []
    for slug in ("acme", "other"):
        body = {"name": unique("Project"), "identifier": unique("K").replace(" ", "")}
        answer = await workshop.zoe.send_once(key, "POST", f"workspaces/{slug}/projects", body)
        assert answer.status_code == 201, answer.text
        names.append(answer.json["name"])
    assert len(set(names)) == 2


async def test_a_refused_request_may_be_sent_again_with_its_key(workshop: Workshop) -> None:
    key, path = new_id(), workshop.path("labels")
    taken = await workshop.make("labels", name=unique("Label"))
    for body, status in (
        ({"color": "#123456"}, 400),
        ({"name": taken["name"]}, 409),
        ({"name": unique("Label")}, 201),
    ):
        assert (await workshop.ana.send_once(key, "POST", path, body)).status_code == status


async def test_of_concurrent_repeats_one_is_done_and_all_get_its_answer(workshop: Workshop) -> None:
    key, name = new_id(), unique("Label")
    answers = await asyncio.gather(
        *(
            workshop.ana.send_once(key, "POST", workshop.path("labels"), {"name": name, "external_id": name})
            for _ in range(8)
        )
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert len(await workshop.site.db.find_all(labels, name=name)) == 1


async def test_a_repeat_of_a_deletion_succeeds_though_its_record_is_gone(workshop: Workshop) -> None:
    body = {"name": unique("Project"), "identifier": unique("D").replace(" ", "")}
    made = (await workshop.ana.post("workspaces/acme/projects", body)).json
    key, path = new_id(), f"workspaces/acme/projects/{made['id']}"
    first, second = [await workshop.ana.send_once(key, "DELETE", path) for _ in range(2)]
    assert (first.status_code, second.status_code) == (204, 204)
    assert (await workshop.ana.send_once(new_id(), "DELETE", path)).status_code == 404
    assert (await workshop.ben.send_once(key, "DELETE", path)).status_code == 404


async def test_an_answer_with_a_body_is_not_shown_where_the_caller_is_no_longer_admitted(
    workshop: Workshop,
) -> None:
    body = {"name": unique("Project"), "identifier": unique("E").replace(" ", "")}
    project = (await workshop.ana.post("workspaces/acme/projects", body)).json
    key, path = new_id(), f"workspaces/acme/projects/{project['id']}"
    label = {"name": unique("Label")}
    assert (await workshop.ana.send_once(key, "POST", f"{path}/labels", label)).status_code == 201
    assert (await workshop.ana.delete(path)).status_code == 204
    assert (await workshop.ana.send_once(key, "POST", f"{path}/labels", label)).status_code == 404


async def test_op1_a_stored_answer_shows_a_secret_to_its_caller_alone(workshop: Workshop) -> None:
    key, body = new_id(), {"url": f"https://courier.example/{new_id()}"}
    answers = [await workshop.ana.send_once(key, "POST", "workspaces/acme/webhooks", body) for _ in range(2)]
    secret = answers[0].json["secret_key"]
    assert secret.startswith(WEBHOOK_SECRET)
    assert answers[1].json["secret_key"] == secret
    rows = await workshop.site.db.find_all(idempotency_keys)
    assert all(secret not in str(row) and key not in str(row) for row in rows)
    assert any(secret in _unseal(workshop, row) for row in rows)


def _unseal(workshop: Workshop, row: Row) -> str:
    return workshop.site.sealer.unseal_once(row["body_sealed"], SEAL) if row["body_sealed"] else ""


async def test_an_answer_that_is_too_large_to_keep_is_a_conflict_and_nothing_is_done_twice(
    workshop: Workshop,
) -> None:
    key, name = new_id(), unique("Item")
    body = {"name": name, "description_html": f"<p>{'x' * MAX_BODY_BYTES}</p>"}
    first, second = [
        await workshop.ana.send_once(key, "POST", workshop.path("work-items"), body) for _ in range(2)
    ]
    assert (first.status_code, second.status_code) == (201, 409)
    assert second.json["error"].startswith("This was done already")
    assert len(await workshop.events_of(first.json["id"])) == 1


async def test_an_answer_sealed_under_a_key_that_is_gone_is_a_conflict(workshop: Workshop) -> None:
    key, body = new_id(), {"name": unique("Label")}
    assert (await workshop.ana.send_once(key, "POST", workshop.path("labels"), body)).status_code == 201
    async with workshop.site.db.transaction() as tx:
        for row in await tx.find_all(idempotency_keys):
            if row["body_sealed"]:
                await _reseal_unknown(tx, row)
    assert (await workshop.ana.send_once(key, "POST", workshop.path("labels"), body)).status_code == 409


async def _reseal_unknown(tx: Transaction, row: Row) -> None:
    keys = {name: row[name] for name in ("workspace_id", "key_hash")}
    await tx.update(idempotency_keys, {"body_sealed": "2.00000000.AAAA"}, **keys)


async def test_a_day_later_the_key_is_free_and_its_row_is_purged(workshop: Workshop) -> None:
    key, path = new_id(), workshop.path("labels")
    first = await workshop.ana.send_once(key, "POST", path, {"name": unique("Label")})
    workshop.clock.advance(hours=23, minutes=59, seconds=59)
    assert (await workshop.ana.send_once(key, "POST", path, {"name": unique("Label")})).status_code == 422
    workshop.clock.advance(seconds=1)
    again = await workshop.ana.send_once(key, "POST", path, {"name": unique("Label")})
    assert again.status_code == 201
    assert again.json["id"] != first.json["id"]
    await _fill(workshop, BATCH + 1, expires_at=workshop.clock.now())
    assert await purge_answers(workshop.site) > BATCH
    [kept] = await workshop.site.db.find_all(idempotency_keys)
    assert kept["expires_at"] == workshop.clock.now() + KEEP


async def _fill(workshop: Workshop, number: int, **columns: Any) -> None:
    row = {"workspace_id": workshop.cast.acme["id"], "fingerprint": "", "status": 204, "body_sealed": None}
    async with workshop.site.db.transaction() as tx:
        await tx.insert_all(
            idempotency_keys, [{**row, "key_hash": new_id(), **columns} for _ in range(number)]
        )
