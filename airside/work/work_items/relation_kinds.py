"""The kinds of relations between two work items, and their table: one row for both sides.

A row says that `issue_id` stands in the relation `relation_type` to `related_issue_id`; from the other end the
relation has the inverse name. That of a workspace's own kind has `relation_type` custom and its definition.
"""

from typing import Literal

import sqlalchemy as sa

from airside.db.base import Id, metadata, stamps, tenant_key

DependencyType = Literal[
    "blocking", "blocked_by", "start_before", "start_after", "finish_before", "finish_after"
]
RelationType = Literal[DependencyType, "duplicate", "relates_to"]

CUSTOM = "custom"
BLOCKING, START_BEFORE, FINISH_BEFORE = "blocking", "start_before", "finish_before"
# As stored → as the other end calls it. A relation that is its own inverse has no direction.
INVERSES = {
    BLOCKING: "blocked_by",
    START_BEFORE: "start_after",
    FINISH_BEFORE: "finish_after",
    "duplicate": "duplicate",
    "relates_to": "relates_to",
}
DEPENDENCIES = frozenset({BLOCKING, START_BEFORE, FINISH_BEFORE})  # as stored
UNDIRECTED = frozenset(name for name, inverse in INVERSES.items() if name == inverse)
_STORED = {inverse: name for name, inverse in INVERSES.items()}

relations = sa.Table(
    "work_item_relations",
    metadata,
    *tenant_key(),
    sa.Column("project_id", Id, nullable=False),  # where it was made; its two ends may be in two projects
    sa.Column("issue_id", Id, nullable=False),
    sa.Column("related_issue_id", Id, nullable=False),
    sa.Column("relation_type", sa.Text, nullable=False),
    sa.Column("definition_id", Id),
    *stamps(),
)
# Either end's relations in the order in which they were made.
for _name, _column in (("issue", relations.c.issue_id), ("related", relations.c.related_issue_id)):
    sa.Index(f"ix_work_item_relations_{_name}", relations.c.workspace_id, _column, relations.c.id)


def to_stored(name: str) -> tuple[str, bool]:
    """The stored kind of a relation by its name from one end, and whether that end is the row's related one."""
    if name in INVERSES:
        return name, False
    return _STORED[name], True


def name_side(relation_type: str, *, is_related: bool) -> str:
    """What a stored kind is called from one of its ends."""
    return INVERSES[relation_type] if is_related else relation_type
