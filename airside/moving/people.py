"""Who the people of a source are here: an account with the same proven e-mail, or else a name and nothing more.

An account whose e-mail isn't proven may be somebody else's (docs/decisions/0019), so it gets nothing of them.
"""

from typing import NamedTuple

from airside.db.base import Row
from airside.db.database import Transaction
from airside.db.text_rules import is_one_line
from airside.identity.proof import is_proven
from airside.identity.users import NAME_LENGTH, create_named, find_user_by_email
from airside.runtime.site import Site
from airside.workspaces.members import add_member, find_member
from airside.workspaces.roles import ADMIN, GUEST, MEMBER

NO_ADDRESS = "The source says no e-mail."
NO_ACCOUNT = "There is no account with this e-mail here."
UNPROVEN = "The account with this e-mail is unproven; see `airside user prove`."
INACTIVE = "The account with this e-mail is deactivated."


class Match(NamedTuple):
    """The account, or why there is none."""

    user: Row | None
    reason: str = ""


async def match_person(site: Site, person: Row) -> Match:
    """The account here that is this person's."""
    email = person.get("email")
    if person.get("is_bot") or not isinstance(email, str) or not email:
        return Match(None, NO_ADDRESS)
    user = await find_user_by_email(site.db, email)
    if user is None or user["is_bot"]:
        return Match(None, NO_ACCOUNT)
    if not is_proven(user):
        return Match(None, UNPROVEN)
    return Match(user) if user["is_active"] else Match(None, INACTIVE)


async def name_person(tx: Transaction, site: Site, person: Row) -> str:
    """A user who is only a name; their id."""
    return (await create_named(tx, name_of(person), site.clock.now()))["id"]


async def join(site: Site, workspace_id: str, user: Row, role: object, *, by_id: str, most: int) -> None:
    """Make the person a member with their role, which is at most `most`; who is one already keeps theirs."""
    number = role if role in (ADMIN, MEMBER, GUEST) and type(role) is int else GUEST
    if await find_member(site.db, workspace_id, user["id"]) is None:
        await add_member(site, workspace_id, user["id"], min(number, most), by_user_id=by_id)


def name_of(person: Row) -> str:
    """What the person is called."""
    first, last, shown = (_text(person.get(name)) for name in ("first_name", "last_name", "display_name"))
    name = shown or f"{first} {last}".strip() or "Somebody"
    return name[:NAME_LENGTH] if is_one_line(name) else "Somebody"


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
