"""What a work item's page says of it beyond its own fields: what it belongs to, its values, its relations, its
parent. Read by a number of statements that doesn't grow with them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from airside.db.base import Row
from airside.portal.work.item_places import list_places
from airside.portal.work.item_values import Shown, Values, find_item_values, show_item_values
from airside.portal.work.people import Person
from airside.portal.work.related import find_related, group_related, name_items
from airside.rest.call import Call

NO_VALUES = Values((), {}, {})


class Facts(NamedTuple):
    """As the page shows them."""

    places: Sequence[Row]
    properties: Sequence[Shown]
    relations: Sequence[dict[str, Any]]
    has_more_relations: bool
    parent: Row | None


class Found(NamedTuple):
    """What was read of one work item, before its people are looked up."""

    values: Values
    places: Sequence[Row]
    related: Sequence[Row]
    has_more_relations: bool
    items: Mapping[str, Row]
    parent: Row | None

    async def people(self) -> set[str]:
        return {*self.values.ids("USER"), *await self.values.mentioned()}

    async def show(self, people: Mapping[str, Person]) -> Facts:
        return Facts(
            self.places,
            await show_item_values(self.values, people, self.items),
            group_related(self.related, self.items),
            self.has_more_relations,
            self.parent,
        )


async def find_facts(call: Call, item: Row, here: str, project: str) -> Found:
    """`here` is the path of the workspace's pages, `project` that of its project's."""
    has_types = call.access.is_feature_on(call, "work_item_types")
    values = await find_item_values(call, item) if has_types else NO_VALUES
    related, has_more = await find_related(call, item["id"])
    parents = [item["parent"]] if item["parent"] else []
    wanted = [*values.ids("ISSUE"), *(row["id"] for row in related), *parents]
    items = await name_items(call, here, wanted)
    places = await list_places(call, item, project)
    return Found(values, places, related, has_more, items, items.get(item["parent"] or ""))
