"""Records that only an admin of the project and the person who made them may delete."""

from airside.db.base import Row
from airside.errors import Forbidden
from airside.rest.call import Call
from airside.rest.record import ADMIN


class NotOwner(Forbidden):
    code = "not_owner"


def check_owner(call: Call, row: Row, noun: str, *columns: str) -> None:
    """Raises NotOwner unless the caller is an admin or in one of the columns; `noun` is for the sentence: cycle."""
    owners = {row[column] for column in (*columns, "created_by_id")}
    if call.project_role < ADMIN and call.caller.user_id not in owners:
        raise NotOwner(f"Only admin or creator can delete the {noun}")
