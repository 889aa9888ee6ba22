"""The three roles: numbers in the API, names in pages and slugs on the command line."""

from typing import NamedTuple

from airside.errors import Invalid

ADMIN, MEMBER, GUEST = 20, 15, 5


class Role(NamedTuple):
    number: int
    slug: str
    name: str


ROLES = (Role(ADMIN, "admin", "Admin"), Role(MEMBER, "member", "Member"), Role(GUEST, "guest", "Guest"))
_BY_NUMBER = {role.number: role for role in ROLES}
_BY_SLUG = {role.slug: role for role in ROLES}


def get_role(number: int) -> Role:
    """Raises Invalid for an unknown number."""
    role = _BY_NUMBER.get(number)
    if role is None:
        raise Invalid({"role": ["A role is 20 (admin), 15 (member) or 5 (guest)."]})
    return role


def parse_role(text: str) -> int:
    """The number of the role with this slug. Raises Invalid."""
    role = _BY_SLUG.get(text.strip().lower())
    if role is None:
        raise Invalid({"role": ["A role is admin, member or guest."]})
    return role.number
