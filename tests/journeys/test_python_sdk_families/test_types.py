"""Types of work items with their properties, as plane-sdk calls them."""

from typing import Any

import pytest
from plane import PlaneClient
from plane.errors import HttpError
from plane.models.projects import UpdateProject
from plane.models.query_params import WorkItemQueryParams
from plane.models.work_item_properties import (
    CreateWorkItemProperty,
    CreateWorkItemPropertyOption,
    CreateWorkItemPropertyValue,
)
from plane.models.work_item_property_configurations import TextAttributeSettings
from plane.models.work_item_types import CreateWorkItemType
from plane.models.work_items import CreateWorkItem, UpdateWorkItem

from tests.journeys.conftest import Stage
from tests.journeys.test_python_sdk_families.recorded import list_recorded

TEXT = {"property_type": "TEXT", "settings": TextAttributeSettings(display_format="single-line")}


def make_type(ana: PlaneClient, project: Any, *properties: CreateWorkItemProperty) -> tuple[str, list[Any]]:
    item_type = ana.work_item_types.create("acme", project.id, CreateWorkItemType(name="Bug")).id
    assert item_type is not None
    made = [ana.work_item_properties.create("acme", project.id, item_type, one) for one in properties]
    return item_type, made


def last_fields(stage: Stage, item_id: str) -> Any:
    """The values in the work item's last event."""
    data = [data for _, data in list_recorded(stage, "workitem") if data["id"] == item_id]
    return data[-1]["custom_fields"]


def test_6_types_a_required_property_refuses(ana: PlaneClient, project: Any) -> None:
    required = CreateWorkItemProperty(display_name="Cause", is_required=True, **TEXT)  # type: ignore[arg-type]
    item_type, (cause,) = make_type(ana, project, required)
    item = ana.work_items.create("acme", project.id, CreateWorkItem(name="Fix", type_id=item_type))
    ids = ("acme", project.id, item.id, cause.id)
    values = ana.work_item_properties.values
    values.create(*ids, CreateWorkItemPropertyValue(value="Rust"))
    for refuse in (
        lambda: values.delete(*ids),
        lambda: values.update(*ids, {"value": ""}),
    ):
        with pytest.raises(HttpError) as refused:
            refuse()
        assert refused.value.status_code == 400
    assert values.retrieve(*ids).value == "Rust"  # type: ignore[union-attr]


def test_6_types_a_default_fills_in(ana: PlaneClient, project: Any, stage: Stage) -> None:
    options = [
        CreateWorkItemPropertyOption(name="Low", is_default=True),
        CreateWorkItemPropertyOption(name="High"),
    ]
    level = CreateWorkItemProperty(display_name="Level", property_type="OPTION", options=options)  # type: ignore[arg-type]
    cause = CreateWorkItemProperty(display_name="Cause", default_value=["Unknown"], **TEXT)  # type: ignore[arg-type]
    ana.projects.update("acme", project.id, UpdateProject(is_issue_type_enabled=True))
    item_type, (level_made, cause_made) = make_type(ana, project, level, cause)
    item = ana.work_items.create("acme", project.id, CreateWorkItem(name="Fix", type_id=item_type))
    expected = {level_made.id: level_made.options[0].id, cause_made.id: "Unknown"}
    for owner, value in expected.items():
        read = ana.work_item_properties.values.retrieve("acme", project.id, item.id, owner)
        assert read.value == value  # type: ignore[union-attr]
    assert last_fields(stage, item.id) == expected


def test_6_types_a_changed_type_keeps_what_fits_and_lists_what_does_not(
    ana: PlaneClient, project: Any, stage: Stage
) -> None:
    kept = CreateWorkItemProperty(display_name="Cause", **TEXT)  # type: ignore[arg-type]
    lost = CreateWorkItemProperty(display_name="Browser", **TEXT)  # type: ignore[arg-type]
    bug, (cause, browser) = make_type(ana, project, kept, lost)
    task, _ = make_type(ana, project)
    ana.work_item_properties.attach_to_type("acme", project.id, task, [cause.id])
    item = ana.work_items.create("acme", project.id, CreateWorkItem(name="Fix", type_id=bug))
    for owner in (cause, browser):
        body = CreateWorkItemPropertyValue(value=owner.display_name)
        ana.work_item_properties.values.create("acme", project.id, item.id, owner.id, body)
    assert last_fields(stage, item.id) == {cause.id: "Cause", browser.id: "Browser"}
    ana.work_items.update("acme", project.id, item.id, UpdateWorkItem(type_id=task))
    assert last_fields(stage, item.id) == {cause.id: "Cause"}
    with pytest.raises(HttpError) as gone:
        ana.work_item_properties.values.retrieve("acme", project.id, item.id, browser.id)
    assert gone.value.status_code == 404
    history = ana.work_items.activities.list("acme", project.id, item.id).results
    assert ("Browser", "Browser", "") in [(one.field, one.old_value, one.new_value) for one in history]


def test_6_types_a_value_is_found_by_a_query_and_is_in_the_event(
    ana: PlaneClient, project: Any, stage: Stage
) -> None:
    number = CreateWorkItemProperty(display_name="Severity", property_type="DECIMAL")  # type: ignore[arg-type]
    bug, (severity,) = make_type(ana, project, number)
    names = {"Low": 1, "High": 9}
    items = {
        name: ana.work_items.create("acme", project.id, CreateWorkItem(name=name, type_id=bug)).id
        for name in (*names, "None")
    }
    for name, value in names.items():
        body = CreateWorkItemPropertyValue(value=value)
        ana.work_item_properties.values.create("acme", project.id, items[name], severity.id, body)

    def find(**query: Any) -> list[str | None]:
        params = WorkItemQueryParams(order_by="created_at", **query)
        return [one.name for one in ana.work_items.list("acme", project.id, params=params).results]

    assert find(pql=f'cf["{severity.id}"] >= 5') == ["High"]
    assert find(pql=f'cf["{severity.id}"] IS NULL') == ["None"]
    assert find(filters={f"custom_fields__{severity.id}__lt": 5}) == ["Low"]
    with pytest.raises(HttpError) as refused:
        find(pql=f'cf["{severity.id}"] ~ "high"')
    assert refused.value.status_code == 400
    assert last_fields(stage, items["High"]) == {severity.id: 9}
