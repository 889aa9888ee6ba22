"""The lists of API v1 that an import asks for, and what was fetched of them.

`{project}`, `{item}` and `{parent}` are ids of records that came before.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from airside.db.base import Row
from airside.moving.bundle import LineWriter
from airside.moving.families import PEOPLE, VALUES
from airside.system.private_files import make_folder

_P, _I = "projects/{project}/", "projects/{project}/work-items/{item}/"
IMAGE = "assets/{file}"  # a file of the workspace, which texts show
DETAILED = "pages"  # a list shows them without their text
ATTACHMENT = _I + "attachments/{file}"
MAY_HAVE_NONE = ("estimates",)  # of which a project has one, or the source says that there is no such record
CUSTOM_RELATIONS = "custom_relations"
INTAKE = "intake_items"


class Listing(NamedTuple):
    """A list of the API. Of one below a record, `parents` are that record's family, and `parent` is the field
    with its id; of links, `linked` is the field with the id of what the list shows."""

    family: str
    path: str
    parents: str = ""
    parent: str = ""
    linked: str = ""

    @property
    def shown_as(self) -> str:
        """What the report calls it: by its path, where its records come from several lists."""
        tail = self.path.rsplit("/", 1)[-1]
        return tail.replace("-", "_") if tail == "epics" or tail.startswith("archived") else self.family


MEMBERS = Listing(PEOPLE, "members")
PROJECT_MEMBERS = Listing("project_members", _P + "project-members")
OF_WORKSPACE = (
    Listing("projects", "projects"),
    Listing("project_states", "project-states"),
    Listing("project_labels", "project-labels"),
    Listing("work_item_types", "work-item-types"),
    Listing("work_item_properties", "work-item-properties"),
    Listing(
        "work_item_property_options",
        "work-item-properties/{parent}/options",
        "work_item_properties",
        "property",
    ),
    Listing(
        "work_item_type_properties",
        "work-item-types/{parent}/properties",
        "work_item_types",
        "type",
        "property",
    ),
    Listing("relation_definitions", "work-item-relation-definitions"),
    Listing("collections", "collections"),
    Listing("collection_members", "collections/{parent}/members", "collections", "collection"),
    Listing("pages", "pages"),
    Listing("collection_pages", "collections/{parent}/pages", "collections", "collection"),
    Listing("stickies", "stickies"),
)
OF_PROJECT = (
    Listing("states", _P + "states"),
    Listing("labels", _P + "labels"),
    Listing("estimates", _P + "estimates"),
    Listing("estimate_points", _P + "estimates/{parent}/estimate-points", "estimates", "estimate"),
    Listing("work_item_types", _P + "work-item-types"),
    Listing("work_item_properties", _P + "work-item-properties"),
    Listing(
        "work_item_property_options",
        _P + "work-item-properties/{parent}/options",
        "work_item_properties",
        "property",
    ),
    Listing(
        "work_item_type_properties",
        _P + "work-item-types/{parent}/work-item-properties",
        "work_item_types",
        "type",
        "property",
    ),
    Listing("milestones", _P + "milestones"),
    Listing("cycles", _P + "cycles"),
    Listing("cycles", _P + "archived-cycles"),
    Listing("modules", _P + "modules"),
    Listing("modules", _P + "archived-modules"),
    Listing("pages", _P + "pages"),
    Listing("cycle_work_items", _P + "cycles/{parent}/cycle-issues", "cycles", "cycle", "issue"),
    Listing("module_work_items", _P + "modules/{parent}/module-issues", "modules", "module", "issue"),
    Listing(
        "milestone_work_items", _P + "milestones/{parent}/work-items", "milestones", "milestone", "issue"
    ),
)
ITEMS = (
    Listing("work_items", _P + "work-items"),
    Listing("work_items", _P + "epics"),
    Listing("work_items", _P + "archived-work-items"),
    Listing(INTAKE, _P + "intake-issues"),
)
OF_ITEM = (
    Listing("comments", _I + "comments"),
    Listing("links", _I + "links"),
    Listing("attachments", _I + "attachments"),
    Listing("relations", _I + "relations"),
    Listing(CUSTOM_RELATIONS, _I + "work-item-relations"),
    Listing("worklogs", _I + "worklogs"),
    Listing("work_item_pages", _I + "pages"),
    Listing(VALUES, _I + "work-item-properties/values"),
)


class KeptLists:
    """The lists that were fetched whole, a file each, so that an interrupted run goes on with the next."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        make_folder(folder)

    def has(self, path: str) -> bool:
        return self._file(path).exists()

    async def keep(self, path: str, pages: AsyncIterator[list[Row]]) -> None:
        target = self._file(path)
        make_folder(target.parent)
        partial = target.with_suffix(".partial")
        lines = LineWriter(partial)
        try:
            async for rows in pages:
                for row in rows:
                    _write(lines, row)
        finally:
            lines.close()
        partial.replace(target)

    def read(self, path: str) -> Iterator[Row]:
        with open(self._file(path), "rb") as file:
            for line in file:
                yield msgspec.json.decode(line)

    def _file(self, path: str) -> Path:
        """In one of 256 folders: of a large project there are hundreds of thousands."""
        name = hashlib.sha256(path.encode()).hexdigest()
        return self._folder / name[:2] / name[2:]


def _write(lines: LineWriter, row: Row) -> None:
    """The row; of texts that no JSON can have, with a question mark for what is wrong in them."""
    try:
        lines.write(row)
    except (UnicodeEncodeError, OverflowError, msgspec.EncodeError, ValueError):
        lines.write(
            json.loads(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace"), parse_int=_bounded)
        )


def _bounded(text: str) -> int | str:
    return text if len(text) > 18 else int(text)
