"""What the fields of records are called on their pages, where the API's own names and values are for programs."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from airside.work.intake.items import ACCEPTED, DUPLICATE, PENDING, REJECTED, SNOOZED, intake_items
from airside.work.pages.tables import PRIVATE, PUBLIC, collections, pages
from airside.work.planning.tables import cycles, modules

# Fields that say nothing about a record, or that stand elsewhere on its page.
# fmt: off
HIDDEN = frozenset((
    "id", "workspace", "project", "workspace_id", "project_id", "created_at", "updated_at", "deleted_at",
    "created_by", "updated_by", "description_stripped", "description_binary", "description_json",
    "sort_order", "logo_props", "view_props", "sequence_id", "version",
))
# fmt: on
_HIDDEN_OF: Mapping[sa.Table, frozenset[str]] = {
    intake_items: frozenset(("intake", "inbox", "issue_detail", "extra")),
    pages: frozenset(("projects", "page_collection_id")),
    cycles: frozenset(("progress_snapshot",)),
    modules: frozenset(("description_text", "description_html")),  # which are always null
}
_ACCESS = {PUBLIC: "Public", PRIVATE: "Private"}
_MEANINGS: Mapping[tuple[sa.Table, str], Mapping[Any, str]] = {
    (intake_items, "status"): {
        PENDING: "Pending",
        REJECTED: "Rejected",
        SNOOZED: "Snoozed",
        ACCEPTED: "Accepted",
        DUPLICATE: "Duplicate",
    },
    (pages, "access"): _ACCESS,
    (collections, "access"): _ACCESS,
}
# Fields whose values are words of the API: "in-progress", "IN_APP".
_CODES = frozenset(("status", "property_type", "relation_type", "type", "priority", "group", "source"))
_WORDS = {
    "issue": "Work item",
    "issue_type": "Type",
    "is_multi": "Several values",
    "project_ids": "Projects",
    "duplicate_to": "Duplicate of",
    "snoozed_till": "Snoozed until",
}


def is_hidden(table: sa.Table, name: str) -> bool:
    return name in HIDDEN or name in _HIDDEN_OF.get(table, ())


def words_for(name: str) -> str:
    """A field in words: `start_date` → "Start date", `is_locked` → "Locked"."""
    named = name if name == "external_id" else name.removesuffix("_id")
    return _WORDS.get(named) or named.removeprefix("is_").replace("_", " ").strip().capitalize()


def meaning_of(table: sa.Table, name: str, value: Any) -> Any:
    """The value in words, where it is one of a few that have any."""
    meanings = _MEANINGS.get((table, name))
    if meanings is not None and not isinstance(value, bool):
        return meanings.get(value, value)
    if name in _CODES and isinstance(value, str):
        return value.replace("-", " ").replace("_", " ").capitalize()
    return value
