"""The fields of a query, with every spelling in Plane's documents, SDKs and webhook filters.

A custom property is a field that is known only at run time: it is parsed by its id, and gets its type from `work`.
"""

import re
from dataclasses import dataclass
from typing import Literal

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "~", "in", "not in", "between", "null", "not null"]
Kind = Literal[
    "choice", "flag", "text", "key", "date", "instant", "number", "decimal", "boolean", "document", "id", "cycle",
    "person", "custom", "absent"
]  # fmt: skip

PRIORITIES = ("urgent", "high", "medium", "low", "none")
OPEN_GROUPS = ("backlog", "unstarted", "started")
CLOSED_GROUPS = ("completed", "cancelled")
STATE_GROUPS = (*OPEN_GROUPS, *CLOSED_GROUPS, "triage")

_EQUAL = ("=", "!=")
_SET = ("in", "not in")
_ORDER = ("<", "<=", ">", ">=", "between")
_NULL = ("null", "not null")

OPERATORS: dict[Kind, tuple[Operator, ...]] = {
    "choice": (*_EQUAL, *_SET),
    "flag": _EQUAL,
    "text": (*_EQUAL, "~", *_SET, *_NULL),
    "key": (*_EQUAL, "~", *_SET, *_ORDER),
    "date": (*_EQUAL, *_ORDER, *_SET, *_NULL),
    "instant": (*_EQUAL, *_ORDER, *_SET, *_NULL),
    "number": (*_EQUAL, *_ORDER, *_SET, *_NULL),
    "decimal": (*_EQUAL, *_ORDER, *_SET, *_NULL),
    "boolean": (*_EQUAL, *_SET, *_NULL),
    "document": _NULL,
    "id": (*_EQUAL, *_SET, *_NULL),
    "cycle": (*_EQUAL, *_SET, *_NULL),
    "person": (*_EQUAL, *_SET, *_NULL),
    "custom": (*_EQUAL, "~", *_ORDER, *_SET, *_NULL),  # until its type is known
    "absent": (),
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of work items in queries. `name` is its name in code."""

    name: str
    kind: Kind
    spellings: tuple[str, ...] = ()  # besides the name; case and underscores are ignored
    choices: tuple[str, ...] = ()
    property_id: str = ""  # of a custom property


FIELDS = (
    Field("priority", "choice", choices=PRIORITIES),
    Field("state_group", "choice", choices=STATE_GROUPS),  # also state__group, stateGroup
    Field("is_draft", "flag"),
    Field("is_archived", "flag"),
    Field("title", "text", ("name",)),
    Field("text", "text"),
    Field("description", "text", ("description_stripped",)),
    Field("external_id", "text"),
    Field("external_source", "text"),
    Field("id", "key", ("identifier",)),
    Field("sequence_id", "number", ("sequence",)),
    Field("point", "number"),
    Field("target_date", "date", ("due_date",)),
    Field("start_date", "date"),
    Field("created_at", "instant"),
    Field("updated_at", "instant"),
    Field("completed_at", "instant"),
    Field("archived_at", "instant"),
    Field("state", "id", ("state_id",)),
    Field("project", "id", ("project_id",)),
    Field("parent", "id", ("parent_id",)),
    Field("type", "id", ("type_id",)),
    Field("estimate_point", "id", ("estimate_point_id",)),
    Field("label", "id", ("label_id", "labels", "labels_id", "label_ids")),
    Field("assignee", "person", ("assignee_id", "assignees", "assignees_id", "assignee_ids")),
    Field("created_by", "person", ("created_by_id",)),
    Field("updated_by", "person", ("updated_by_id",)),
    Field("cycle", "cycle", ("cycle_id", "issue_cycle_cycle_id")),
    Field("module", "id", ("module_id", "issue_module_module_id")),
    Field("milestone", "id", ("milestone_id",)),
    Field("release", "absent", ("release_id", "release_work_items_release_id")),
    Field("mention", "absent", ("mention_id", "mentions")),
    Field("subscriber", "absent", ("subscriber_id", "subscribers")),
    Field("teamspace_project", "absent", ("teamspace_project_id",)),
    Field("customer", "absent", ("customer_id",)),
)
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PROPERTY = re.compile(rf"""(?:cf\[(["']?)|custom_fields__)({_UUID})(?(1)\1\])""", re.IGNORECASE)


def find_field(name: str) -> Field | None:
    """The field with this spelling: dueDate, due_date, target_date; state__group, stateGroup; cf["<id>"]."""
    found = _BY_SPELLING.get(_plain(name))
    if found is None and (match := _PROPERTY.fullmatch(name)):
        return custom_property(match[2])
    return found


def custom_property(property_id: str) -> Field:
    return Field(f'cf["{property_id.lower()}"]', "custom", property_id=property_id.lower())


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


_BY_SPELLING = {_plain(name): field for field in FIELDS for name in (field.name, *field.spellings)}
