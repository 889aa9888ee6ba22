"""The official Python SDK, unmodified, on v2: states, labels and stickies through `client.v2`."""

import pytest
from plane import PlaneClient
from plane.api.v2._kernel.errors import PlaneAPIError
from plane.models.projects import CreateProject
from plane.models.v2.labels import CreateLabel, UpdateLabel
from plane.models.v2.states import CreateState, UpdateState
from plane.models.v2.stickies import CreateSticky, UpdateSticky

from tests.journeys.conftest import Stage

IDENTIFIER = "VTWO"


@pytest.fixture(scope="module")
def client(stage: Stage) -> PlaneClient:
    key = stage.instance.cli("token", "create", "--user", "ana@example.com", "--expires-in-days", "1")
    found = PlaneClient(base_url=stage.base_url, api_key=key["token"])
    found.projects.create("acme", CreateProject(name="Second wire", identifier=IDENTIFIER))
    return found


def test_a_state_is_created_found_changed_and_deleted(client: PlaneClient) -> None:
    states = client.v2.workspaces.projects.states
    made = states.create("acme", IDENTIFIER, CreateState(name="In review", color="#f59e0b", group="started"))
    assert (made.group, made.is_default, made.is_triage) == ("started", False, False)
    assert states.find_by_name("acme", IDENTIFIER, "in REVIEW").id == made.id
    assert states.retrieve("acme", IDENTIFIER, made.id, fields=["name"]).name == "In review"
    changed = states.update("acme", IDENTIFIER, made.id, UpdateState(description="Wait for two"))
    assert changed.description == "Wait for two"
    page = states.list("acme", IDENTIFIER, group__in=["started", "completed"], count=False)
    assert {state.group for state in page.data} == {"started", "completed"}
    assert page.total_count is None
    states.delete("acme", IDENTIFIER, made.id)
    with pytest.raises(PlaneAPIError) as gone:
        states.retrieve("acme", IDENTIFIER, made.id)
    assert (gone.value.status, gone.value.type) == (404, "not_found")


def test_lists_are_read_page_by_page_in_both_ways(client: PlaneClient) -> None:
    labels = client.v2.workspaces.projects.labels
    names = [f"label {number}" for number in range(7)]
    outcome = labels.bulk_create("acme", IDENTIFIER, [CreateLabel(name=name) for name in names])
    assert (outcome.succeeded, outcome.failed) == (7, 0)
    by_offset = [
        label.name for label in labels.iterate("acme", IDENTIFIER, per_page=2, order_by="created_at")
    ]
    by_cursor = [
        label.name
        for label in labels.iterate("acme", IDENTIFIER, per_page=2, order_by="id", paginate="cursor")
    ]
    assert by_offset == by_cursor == names
    with pytest.raises(PlaneAPIError) as refused:
        labels.list("acme", IDENTIFIER, paginate="cursor")
    assert (refused.value.status, refused.value.code) == (400, "ordering_not_cursor_eligible")


def test_errors_are_the_ones_that_the_sdk_reads(client: PlaneClient) -> None:
    labels = client.v2.workspaces.projects.labels
    made = labels.create("acme", IDENTIFIER, CreateLabel(name="taken", external_id="1", external_source="x"))
    for body in (CreateLabel(name="taken"), CreateLabel(name="other", external_id="1", external_source="x")):
        with pytest.raises(PlaneAPIError) as taken:
            labels.create("acme", IDENTIFIER, body)
        assert (taken.value.status, taken.value.code) == (409, "conflict")
    assert labels.list("acme", IDENTIFIER, external_id="1", external_source="x").data[0].id == made.id
    with pytest.raises(PlaneAPIError) as wrong:
        labels.update("acme", IDENTIFIER, made.id, UpdateLabel(parent_id=made.id))
    assert wrong.value.errors
    assert wrong.value.errors[0].field == "parent_id"


def test_a_batch_is_all_or_none_where_that_is_asked_for(client: PlaneClient) -> None:
    labels = client.v2.workspaces.projects.labels
    one, two = (labels.create("acme", IDENTIFIER, CreateLabel(name=name)) for name in ("one", "two"))
    rows = [{"id": one.id, "color": "#111111"}, {"id": two.id, "name": "one"}]
    with pytest.raises(PlaneAPIError) as discarded:
        labels.bulk_update("acme", IDENTIFIER, rows, all_or_none=True)
    assert (discarded.value.status, discarded.value.type) == (409, "conflict")
    assert labels.retrieve("acme", IDENTIFIER, one.id).color == ""
    outcome = labels.bulk_update("acme", IDENTIFIER, rows)
    assert [row.result for row in outcome.results] == ["updated", "failed"]
    assert [(row.index, row.code) for row in outcome.failures] == [(1, "conflict")]
    assert labels.retrieve("acme", IDENTIFIER, one.id).color == "#111111"
    assert labels.bulk_delete("acme", IDENTIFIER, [one.id, two.id], all_or_none=True).succeeded == 2


def test_a_sticky_is_its_owners_and_its_text_is_deferred_in_lists(client: PlaneClient) -> None:
    stickies = client.v2.workspaces.stickies
    made = stickies.create("acme", CreateSticky(name="Remember", description_html="<p>Oil the wheel</p>"))
    assert made.description_html == "<p>Oil the wheel</p>"
    [listed] = stickies.list("acme", search="WHEEL").data
    assert (listed.id, listed.description_html, listed.description_stripped) == (
        made.id,
        None,
        "Oil the wheel",
    )
    [whole] = stickies.list("acme", fields=["all"], owner_id=str(made.owner_id)).data
    assert whole.description_html == made.description_html
    assert stickies.update("acme", made.id, UpdateSticky(color="#ff0000")).color == "#ff0000"
    stickies.delete("acme", made.id)
    assert not stickies.list("acme").data


def test_an_importer_repeats_itself_by_external_id(client: PlaneClient) -> None:
    states, labels = (client.v2.workspaces.projects.states, client.v2.workspaces.projects.labels)
    given = {"external_source": "github", "external_id": "17"}
    made = states.upsert("acme", IDENTIFIER, CreateState(name="Inbox", color="#1", group="triage", **given))
    assert (made.group, made.is_triage) == ("triage", True)
    changed = states.upsert("acme", IDENTIFIER, CreateState(name="Inbox", color="#2", **given))
    assert (changed.id, changed.color, changed.group) == (made.id, "#2", "triage")
    first = labels.upsert("acme", IDENTIFIER, CreateLabel(name="imported", **given))
    second = labels.upsert("acme", IDENTIFIER, CreateLabel(name="imported twice", **given), fields=["name"])
    assert (second.id, second.name, second.color) == (first.id, "imported twice", None)
    assert [one.id for one in labels.list("acme", IDENTIFIER, external_id="17").data] == [first.id]
