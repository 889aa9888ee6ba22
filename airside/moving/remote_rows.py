"""Rows of a folder from what another Plane's API answers: with ids for objects, a project, and a parent."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast
from uuid import NAMESPACE_URL, uuid5

from airside.db.base import Row, is_uuid
from airside.moving.families import BY_NAME, VALUES, Family
from airside.moving.remote_lists import Listing
from airside.work.intake.items import ACCEPTED
from airside.work.work_items.relation_kinds import CUSTOM, INVERSES, UNDIRECTED

SHOWN_ROLE = 15  # of a project's member, whose role an older Plane doesn't say
WITHOUT_EXTERNAL_ID = ("attachments", "stickies", "collection_pages", "work_item_pages")
EXTRA_FEATURES = ("epics", "workflows", "parallel_cycles", "project_updates")


def derive_id(*parts: str) -> str:
    """The id of a link, which the API shows without one."""
    return str(uuid5(NAMESPACE_URL, " ".join(parts)))


def read_id(value: Any) -> str | None:
    """The id of a record, which an API shows by itself or in an object."""
    found: Any = cast(Row, value).get("id") if isinstance(value, dict) else value
    return found.lower() if isinstance(found, str) and is_uuid(found) else None


def complete(family: Family, row: Row, external: str, project: str | None) -> Row:
    """With its project, ids in place of objects, and the source's own id as external id where it has none."""
    made = dict(row)
    for name in family.refers:
        if name in made:
            made[name] = _ids_of(made[name])
    if family.name not in WITHOUT_EXTERNAL_ID and not made.get("external_id"):
        made |= {"external_source": external, "external_id": row["id"]}
    at_workspace = project is None or ("project" in row and row["project"] is None)
    return {**made, "project": None if at_workspace else project}


def _ids_of(value: Any) -> Any:
    if isinstance(value, list):
        return [read_id(one) or one for one in cast(list[Any], value)]
    return read_id(value) if isinstance(value, dict) else value


def read_person(row: Row) -> Row:
    """Who is no active member is a name, as who isn't one any more."""
    return {**row, "role": row.get("role") if row.get("is_active") is not False else None}


def read_project_member(row: Row, project: str) -> Row:
    member = read_id(row.get("member")) or row["id"]
    role = row.get("role")
    made = {"id": derive_id(project, member), "project_id": project, "member": member}
    return {**made, "role": role if type(role) is int else SHOWN_ROLE}


def read_project(row: Row, features: Mapping[str, Any]) -> Row:
    """With the features that a project's own response doesn't show."""
    shown = {name: True for name in EXTRA_FEATURES if features.get(name) is True}
    return {**row, "more_features": shown}


def read_link(listing: Listing, row: Row, parent: str, project: str | None) -> Row:
    """That the record of the list, or the one that a link of the list names, belongs to its parent."""
    linked = read_id(row.get(listing.linked)) or row["id"]
    made = {"id": derive_id(parent, linked), "project": project, "project_id": project}
    return {**made, listing.parent: parent, listing.linked: linked}


def read_collection_page(row: Row, collection: str) -> Row | None:
    page = read_id(row.get("page"))
    if page is None:
        return None
    place = read_id(row.get("page_collection_id")) or derive_id(collection, page)
    return {"id": place, "collection": collection, "page": page, "sort_order": row.get("sort_order")}


def read_intake(row: Row, project: str) -> tuple[Row, Row | None]:
    """What was filed, and its work item, which isn't in any other list while it waits."""
    item = read_id(row.get("issue"))
    given: Any = row.get("issue_detail")
    detail = cast(Row, given) if isinstance(given, dict) else Row()
    if item is None or row.get("status") == ACCEPTED:
        return row, None
    stamps = {name: row.get(name) for name in ("created_at", "updated_at", "created_by", "updated_by")}
    return row, {**stamps, **detail, "id": item, "state": None, "project": project, "in_intake": True}


def read_relations(found: Row, item: str) -> Iterator[Row]:
    """Each relation once: as it is stored, from the end that it starts at."""
    for kind in INVERSES:
        for other in _list(found.get(kind)):
            other_id = _related(other)
            if other_id and (kind not in UNDIRECTED or item < other_id):
                yield _relation(kind, item, other_id)


def read_custom_relations(found: Row, item: str, definitions: Mapping[str, Row]) -> Iterator[Row]:
    """`definitions` by the name that the end calls them where their relations start."""
    for name, others in found.items():
        definition = definitions.get(name)
        for other in _list(others) if definition else ():
            other_id = _related(other)
            is_undirected = definition and definition["outward"] == definition["inward"]
            if definition and other_id and (not is_undirected or item < other_id):
                made = _relation(CUSTOM, item, other_id)
                made["id"] = derive_id(definition["id"], item, other_id)
                yield {**made, "definition": definition["id"]}


def _relation(kind: str, item: str, other: str) -> Row:
    ids = {"id": derive_id(kind, item, other), "issue": item, "related_issue": other}
    return {**ids, "relation_type": kind}


def _related(value: Any) -> str | None:
    """A Community Edition shows `issue_id`, others the id, or the whole work item."""
    return (
        read_id(cast(Row, value).get("issue_id")) or read_id(value)
        if isinstance(value, dict)
        else read_id(value)
    )


def _list(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else []


def read_values(row: Row, project: str, item: str) -> Row | None:
    """All values that a work item has of one property."""
    owner, values = read_id(row.get("property_id")), row.get("values")
    if owner is None or not isinstance(values, list):
        return None
    key = {"id": derive_id(item, owner), "project": project, "work_item": item}
    return {**key, "property": owner, "values": cast(list[Any], values)}


def find_image_ids(family: Family, row: Row) -> set[str]:
    """The files of the workspace that the row's texts show."""
    texts = [row.get(name) for name in family.html]
    sources = [src for text in texts if isinstance(text, str) for src in _IMAGE.findall(text)]
    return {found[-1].lower() for src in sources if (found := _UUID.findall(src))}


_IMAGE = re.compile(r"""<(?:image-component|img)\b[^<>]*?\bsrc=["']([^"'<>]*)""", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def read_attachment(row: Row) -> Row:
    given: Any = row.get("attributes")
    facts = cast(Row, given) if isinstance(given, dict) else Row()
    return {"name": facts.get("name"), "content_type": facts.get("type")}


def list_people(family: str, row: Row) -> Iterator[tuple[str, str]]:
    """The people that a row names, and the fields that name them."""
    if family == VALUES:
        return
    for name, target in BY_NAME[family].refers.items() if family in BY_NAME else ():
        if target == "people":
            value = row.get(name)
            for one in _list(value) if isinstance(value, list) else [value]:
                person = read_id(one)
                if person:
                    yield name, person
