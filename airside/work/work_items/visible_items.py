"""Which work items a URL may name: all but those that wait in the intake, which only those see who see the intake.

What belongs to a work item takes its parent from here, so that it is found and sent as the work item itself is.
"""

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.rest.call import Call
from airside.rest.record import EVERYTHING, MEMBER, Narrowing, Parent
from airside.work.identifiers import find_work_item_id
from airside.work.work_items.tables import work_items

INTAKE_SCOPE = "projects.intakes:read"

_accepted = work_items.c.in_intake.is_(sa.false())
_ACCEPTED = Narrowing((_accepted,))
_OR_OWN = (sa.or_(_accepted, work_items.c.created_by_id == sa.bindparam("viewer_id", type_=Id())),)


def narrow_to_visible(call: Call) -> Narrowing:
    """An app without the intake's scope sees no waiting work item; a guest sees their own, unless the project shows
    guests everything."""
    scopes = call.caller.scopes
    if scopes is not None and INTAKE_SCOPE not in scopes:
        return _ACCEPTED
    if call.project_role >= MEMBER or call.project.get("guest_view_all_features"):
        return EVERYTHING
    return Narrowing(_OR_OWN, {"viewer_id": call.caller.user_id})


def is_visible(call: Call, row: Row) -> bool:
    """The same for a row that was found."""
    if not row["in_intake"]:
        return True
    narrowing = narrow_to_visible(call)
    return narrowing is EVERYTHING or row["created_by_id"] == narrowing.params.get("viewer_id")


def below_work_item(column: str = "issue_id") -> Parent:
    """The work item in the URL, which this column names."""
    return Parent(
        "work_item_id", work_items, column, find_work_item_id, narrow=narrow_to_visible, private="in_intake"
    )
