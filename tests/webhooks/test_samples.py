"""The sample events that a developer sends to an endpoint: of every kind, and each consistent in itself."""

from datetime import UTC, datetime

import pytest

from airside.events.catalog import CREATED, DELETED, UPDATED, EventKind, list_kinds
from airside.webhooks.samples import make_sample

ENDPOINT = {"workspace_id": "w", "id": "e", "url": "https://courier.example/hook", "version": "v1"}
ANA = {"id": "ana", "first_name": "Ana", "email": "ana@example.com"}
SENT = [kind for kind in list_kinds().values() if not kind.is_agents]


@pytest.mark.parametrize("kind", [kind for kind in SENT if kind.v1_action == UPDATED], ids=lambda k: k.name)
def test_the_sample_of_a_change_names_what_differs(kind: EventKind) -> None:
    event = make_sample(ENDPOINT, kind.name, ANA, datetime.now(UTC))
    [(field, before)] = event.previous.items()
    assert before != event.data_v2[field]
    [change] = event.changes
    assert (change.field, change.old_value, change.new_value) == (field, before, event.data[field])


@pytest.mark.parametrize("kind", [kind for kind in SENT if kind.v1_action == CREATED], ids=lambda k: k.name)
def test_the_sample_of_a_new_record_has_nothing_before(kind: EventKind) -> None:
    event = make_sample(ENDPOINT, kind.name, ANA, datetime.now(UTC))
    assert (event.previous, event.changes) == ({}, [])
    assert event.data == event.data_v2
    assert event.data["id"]


@pytest.mark.parametrize("kind", [kind for kind in SENT if kind.v1_action == DELETED], ids=lambda k: k.name)
def test_the_sample_of_a_deletion_has_the_record_as_it_was(kind: EventKind) -> None:
    event = make_sample(ENDPOINT, kind.name, ANA, datetime.now(UTC))
    assert (event.data, event.data_v2) == ({"id": event.entity_id}, {})
    assert event.previous["id"] == event.entity_id
