"""An account with an unverified e-mail, created from an invitation's link."""

from airside.db.base import Row
from airside.runtime.site import Site
from airside.workspaces.invitations import accept_as_new, create_invitation
from airside.workspaces.roles import MEMBER
from tests.cast import PASSWORD, Cast

CEO = "ceo@corp.example"


async def make_unproven(site: Site, cast: Cast, email: str = CEO) -> Row:
    """Zoe invites the address into her own workspace, and opens the link herself."""
    made = await create_invitation(site, cast.other["id"], cast.zoe["id"], email=email, role=MEMBER)
    _, user = await accept_as_new(site, made.token, name="The CEO", password=PASSWORD)
    return user
