"""Custom properties in queries: which work items a comparison finds, and which comparisons are refused by name."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from falcon import testing

from airside.db.base import Row, new_id
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALL = {"one", "two", "three", "bare"}


@dataclass
class Shelf:
    """Four work items of Engine, three of which have a value of each property."""

    workshop: Workshop
    ids: dict[str, str] = field(default_factory=dict)  # of items, options and people
    properties: dict[str, str] = field(default_factory=dict)

    def write(self, text: str) -> str:
        """The query with `[name]` for cf["<the property's id>"] and {name} for an id."""
        for name, one in self.properties.items():
            text = text.replace(f"[{name}]", f'cf["{one}"]')
        for name, one in self.ids.items():
            text = text.replace(f"{{{name}}}", f'"{one}"')
        return text

    async def ask(self, text: str, path: str = "work-items", **query: str) -> testing.Result:
        return await self.workshop.ana.get(self.workshop.path(path), pql=self.write(text), **query)

    async def find(self, text: str, **query: str) -> set[str]:
        return self.names(await self.ask(text, **query))

    def names(self, answer: testing.Result) -> set[str]:
        assert answer.status_code == 200, answer.text
        known = {one: name for name, one in self.ids.items()}
        return {known[row["id"]] for row in answer.json["results"] if row["id"] in known}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shelf(workshop: Workshop) -> Shelf:
    made = Shelf(workshop, {"ana": workshop.cast.ana["id"], "ben": workshop.cast.ben["id"]})
    for name in ("one", "two", "three", "bare"):
        item = await workshop.make("work-items", name=name)
        made.ids[name] = item["id"]
    await _add(
        made, "text", {"one": "Alpha 50%", "two": "alpha", "three": "x" * 250 + "Y"}, property_type="TEXT"
    )
    await _add(made, "link", {"one": "https://example.com/a"}, property_type="URL")
    await _add(made, "number", {"one": 1, "two": 2.5, "three": -3}, property_type="DECIMAL")
    await _add(made, "flag", {"one": True, "two": False}, property_type="BOOLEAN")
    await _add(
        made, "when", {"one": "2026-01-04", "two": "2026-01-05 12:00:00", "three": "2026-02-01"},
        property_type="DATETIME",
    )  # fmt: skip
    await _add(made, "person", {"one": made.ids["ana"], "two": made.ids["ben"]},
               property_type="RELATION", relation_type="USER")  # fmt: skip
    await _add(made, "related", {"one": [made.ids["two"], made.ids["three"]], "two": [made.ids["three"]]},
               property_type="RELATION", relation_type="ISSUE", is_multi=True)  # fmt: skip
    await _add(made, "notes", {"one": {"description_html": "<p>x</p>"}},
               property_type="RELATION", relation_type="RICH_TEXT")  # fmt: skip
    options = [{"name": name} for name in ("low", "high", "gone")]
    choice = await _define(made, "choice", property_type="OPTION", is_multi=True, options=options)
    made.ids |= {option["name"]: option["id"] for option in choice["options"]}
    for name, chosen in {"one": ["low", "high"], "two": ["high"], "three": ["gone"]}.items():
        await _set(made, "choice", name, [made.ids[one] for one in chosen])
    gone = workshop.path(f"work-item-properties/{choice['id']}/options/{made.ids['gone']}")
    assert (await workshop.ana.delete(gone)).status_code == 204
    return made


async def _define(shelf: Shelf, name: str, **body: Any) -> Row:
    made = await shelf.workshop.make("work-item-properties", display_name=unique(name), **body)
    shelf.properties[name] = made["id"]
    return made


async def _add(shelf: Shelf, name: str, values: dict[str, Any], **body: Any) -> None:
    await _define(shelf, name, **body)
    for item, value in values.items():
        await _set(shelf, name, item, value)


async def _set(shelf: Shelf, name: str, item: str, value: Any) -> None:
    path = f"work-items/{shelf.ids[item]}/work-item-properties/{shelf.properties[name]}/values"
    made = await shelf.workshop.ana.post(shelf.workshop.path(path), {"value": value})
    assert made.status_code == 200, made.text


QUERIES: list[tuple[str, set[str]]] = [
    ('[text] = "alpha"', {"two"}),
    ('[text] != "alpha"', ALL - {"two"}),
    ('[text] ~ "ALPHA"', {"one", "two"}),
    ('[text] ~ "50%"', {"one"}),
    ('[text] ~ "50_"', set()),
    (f'[text] = "{"x" * 250}Y"', {"three"}),
    (f'[text] = "{"x" * 250}Z"', set()),
    ('[text] IN ("alpha", "Alpha 50%")', {"one", "two"}),
    ("[text] IS NULL", {"bare"}),
    ("[text] IS NOT EMPTY", ALL - {"bare"}),
    ('[link] = "https://example.com/a"', {"one"}),
    ('[link] ~ "EXAMPLE.com"', {"one"}),
    ("[number] = 1", {"one"}),
    ("[number] = 2.5", {"two"}),
    ('[number] = "2.5"', {"two"}),
    ("[number] > 1", {"two"}),
    ("[number] >= 1", {"one", "two"}),
    ("[number] < 0", {"three"}),
    ("NOT [number] < 0", ALL - {"three"}),
    ("[number] BETWEEN -3 AND 1", {"one", "three"}),
    ("[number] IN (1, -3)", {"one", "three"}),
    ("[number] NOT IN (1, -3)", {"two", "bare"}),
    ("[number] IS NULL", {"bare"}),
    ("[flag] = true", {"one"}),
    ("[flag] = false", {"two"}),
    ("[flag] != true", ALL - {"one"}),
    ("[flag] IS NOT NULL", {"one", "two"}),
    ("[when] = 2026-01-05", {"two"}),
    ("[when] = today()", {"two"}),
    ("[when] < today()", {"one"}),
    ("[when] >= daysAgo(1)", {"one", "two", "three"}),
    ('[when] > "2026-01-05T11:00:00Z"', {"two", "three"}),
    ("[when] BETWEEN (2026-01-01, 2026-01-31)", {"one", "two"}),
    ("[when] IS NULL", {"bare"}),
    ("[person] = {ana}", {"one"}),
    ("[person] = currentUser()", {"one"}),
    ("[person] != currentUser()", ALL - {"one"}),
    ("[person] IN workspaceMembers()", {"one", "two"}),
    ("[person] IN (currentUser(), {ben})", {"one", "two"}),
    ("[related] = {three}", {"one", "two"}),
    ("[related] IN ({one}, {two})", {"one"}),
    ("[related] != {two}", ALL - {"one"}),
    ("[related] IS EMPTY", {"three", "bare"}),
    ("[notes] IS NULL", ALL - {"one"}),
    ("[choice] = {high}", {"one", "two"}),
    ("[choice] = {low}", {"one"}),
    ("[choice] != {low}", ALL - {"one"}),
    ("[choice] NOT IN ({low}, {high})", {"three", "bare"}),
    ("[choice] = {gone}", set()),
    ("[choice] IS NULL", {"three", "bare"}),
    ("[choice] IS NOT NULL", {"one", "two"}),
    ("[choice] = {high} AND NOT ([number] > 1 OR [flag] = false)", {"one"}),
]


async def test_a_comparison_finds_what_its_values_are(shelf: Shelf) -> None:
    """A deleted option is no value; of several values one has to fit; `!=` holds without a value, too."""
    wrong = {text: found for text, expected in QUERIES if (found := await shelf.find(text)) != expected}
    assert wrong == {}


async def test_the_json_of_filters_names_properties_too(shelf: Shelf) -> None:
    async def find(filters: Any) -> set[str]:
        path = shelf.workshop.path("work-items")
        return shelf.names(await shelf.workshop.ana.get(path, filters=json.dumps(filters)))

    number, choice = shelf.properties["number"], shelf.properties["choice"]
    assert await find({f'cf["{number}"]__gte': 1}) == {"one", "two"}
    assert await find({f"custom_fields__{number}__range": [-3, 1]}) == {"one", "three"}
    assert await find({f"custom_fields__{choice}__in": [shelf.ids["low"], shelf.ids["high"]]}) == {
        "one",
        "two",
    }
    assert await find({f"custom_fields__{choice}": shelf.ids["low"]}) == {"one"}
    assert await find({f"custom_fields__{number}__isnull": True}) == {"bare"}
    assert await find({"not": {f'cf["{number}"]': 1}}) == ALL - {"one"}


REFUSED = [
    ("[text] > 1", "can't be used with cf[\""),
    ("[text] = 5", "should be text in quotes"),
    ("[text] ~ ' '", "needs some text"),
    ("[number] ~ 1", "can't be used with cf[\""),
    ("[number] = many", 'is a number, not "many"'),
    ("[number] = true", "is a number, not True"),
    ("[number] > 9999999999999999999", "is a number"),
    ("[flag] = perhaps", "is true or false"),
    ("[flag] > true", "can't be used with cf[\""),
    ("[when] = tomorrow", "is a date"),
    ("[when] = 20260105", "is a date"),
    ("[when] = currentUser()", "can't be compared with currentUser()"),
    ("[person] = Ana", "is not a UUID"),
    ("[person] = daysAgo(1)", "can't be compared with daysAgo()"),
    ("[choice] = low", "is not a UUID"),
    ("[choice] = currentUser()", "can't be compared with currentUser()"),
    ("[choice] ~ {low}", "can't be used with cf[\""),
    ("[notes] = x", "can't be used with cf[\""),
    (f'cf["{new_id()}"] = 1', "There is no property"),
    ('cf["Severity"] = 1', "takes the id of a property"),
]


async def test_what_does_not_fit_is_refused_by_name(shelf: Shelf) -> None:
    for text, message in REFUSED:
        answer = await shelf.ask(text)
        assert (answer.status_code, list(answer.json)) == (400, ["pql"]), (text, answer.text)
        assert message in answer.json["pql"][0], (text, answer.text)


async def test_formulas_are_refused_by_name(shelf: Shelf) -> None:
    made = await shelf.workshop.make("work-item-properties", display_name="Sum", property_type="FORMULA")
    answer = await shelf.ask(f'cf["{made["id"]}"] = 1')
    assert answer.json == {"pql": [f'cf["{made["id"]}"] is not available in this workspace yet.']}


async def test_properties_of_elsewhere_and_deleted_ones_are_unknown(shelf: Shelf) -> None:
    workshop = shelf.workshop
    body = {"display_name": unique("Property"), "property_type": "DECIMAL"}
    paths = (f"workspaces/acme/projects/{workshop.garage}", f"workspaces/other/projects/{workshop.elsewhere}")
    foreign = [
        (await client.post(f"{path}/work-item-properties", body)).json["id"]
        for client, path in zip((workshop.ana, workshop.zoe), paths, strict=True)
    ]
    deleted = (await workshop.make("work-item-properties", **body))["id"]
    assert (await workshop.ana.delete(workshop.path(f"work-item-properties/{deleted}"))).status_code == 204
    for one in (*foreign, deleted):
        answer = await shelf.ask(f'cf["{one}"] IS NULL')
        assert answer.json == {"pql": [f'There is no property cf["{one}"].']}


async def test_every_list_count_and_search_takes_properties(shelf: Shelf) -> None:
    workshop, text = shelf.workshop, "[number] >= 1"
    await workshop.ana.patch(workshop.path("features"), {"cycles": True, "modules": True})
    cycle = await workshop.make("cycles", name=unique("Cycle"), project_id=workshop.engine)
    module = await workshop.make("modules", name=unique("Module"))
    for path in (f"cycles/{cycle['id']}/cycle-issues", f"modules/{module['id']}/module-issues"):
        ids = [shelf.ids["one"], shelf.ids["three"]]
        assert (await workshop.ana.post(workshop.path(path), {"issues": ids})).status_code in (200, 201)
        assert await shelf.find(text, path=path) == {"one"}
    assert (await shelf.ask(text, path="archived-work-items")).json["results"] == []
    everywhere = await workshop.ana.get("workspaces/acme/work-items", pql=shelf.write(text))
    assert shelf.names(everywhere) == {"one", "two"}
    counted = await workshop.ana.get(
        "workspaces/acme/work-items/count", pql=shelf.write(text), group_by="project_id"
    )
    assert counted.json["grouped_counts"] == {workshop.engine: {"count": 2}}
    found = await workshop.ana.post("workspaces/acme/work-items/advanced-search", {"pql": shelf.write(text)})
    assert {row["id"] for row in found.json} == {shelf.ids["one"], shelf.ids["two"]}
    by_json = {f"custom_fields__{shelf.properties['number']}__lt": 0}
    found = await workshop.ana.post("workspaces/acme/work-items/advanced-search", {"filters": by_json})
    assert {row["id"] for row in found.json} == {shelf.ids["three"]}


async def test_the_workspace_asks_only_about_properties_of_projects_that_the_caller_sees(
    shelf: Shelf,
) -> None:
    workshop = shelf.workshop
    body = {"display_name": unique("Property"), "property_type": "DECIMAL"}
    path = f"workspaces/acme/projects/{workshop.garage}/work-item-properties"
    hidden = (await workshop.ana.post(path, body)).json["id"]
    text = f'cf["{hidden}"] IS NULL'
    assert (await workshop.ana.get("workspaces/acme/work-items", pql=text)).status_code == 200
    answer = await workshop.gil.get("workspaces/acme/work-items", pql=text)
    assert answer.json == {"pql": [f'There is no property cf["{hidden}"].']}


async def test_a_property_of_the_workspace_is_asked_about_where_a_project_has_its_type(shelf: Shelf) -> None:
    workshop = shelf.workshop
    made = await workshop.ana.post(
        "workspaces/acme/work-item-properties", {"display_name": unique("Size"), "property_type": "DECIMAL"}
    )
    size = made.json["id"]
    text = f'cf["{size}"] > 4'
    assert (await shelf.ask(text)).json == {"pql": [f'There is no property cf["{size}"].']}
    made = await workshop.ana.post(
        "workspaces/acme/work-item-types", {"name": unique("Type"), "project_ids": [workshop.engine]}
    )
    linked = await workshop.ana.post(
        f"workspaces/acme/work-item-types/{made.json['id']}/properties", {"properties": [size]}
    )
    assert linked.status_code == 204, linked.text
    item = await workshop.make("work-items", name=unique("Sized"), type_id=made.json["id"])
    path = workshop.path(f"work-items/{item['id']}/work-item-properties/{size}/values")
    assert (await workshop.ana.post(path, {"value": 5})).status_code == 200
    for answer in (await shelf.ask(text), await workshop.ana.get("workspaces/acme/work-items", pql=text)):
        assert [row["id"] for row in answer.json["results"]] == [item["id"]]
