"""Who may register and manage apps in a workspace: admins all of them, members their own if the workspace's policy
lets members register apps."""

from airside.apps.policy import MEMBERS, find_policy
from airside.db.base import Row
from airside.db.database import Reader
from airside.errors import Forbidden
from airside.workspaces.members import require_member
from airside.workspaces.roles import ADMIN, MEMBER


async def may_register(reader: Reader, workspace_id: str, role: int) -> bool:
    """Whether a user of this role may register apps."""
    if role == ADMIN:
        return True
    return role == MEMBER and (await find_policy(reader, workspace_id)).registers == MEMBERS


async def require_may_register(reader: Reader, workspace_id: str, user_id: str) -> None:
    """Raises NotFound and Forbidden."""
    member = await require_member(reader, workspace_id, user_id)
    if member["is_bot"] or not await may_register(reader, workspace_id, member["role"]):
        raise Forbidden("Only admins of the workspace may do this.")


def is_author(app: Row, role: int, user_id: str) -> bool:
    """Whether the user manages this app, given that they may register apps."""
    return role == ADMIN or app["created_by_id"] == user_id


async def require_author(reader: Reader, app: Row, user_id: str) -> None:
    """Raises NotFound and Forbidden."""
    await require_may_register(reader, app["workspace_id"], user_id)
    member = await require_member(reader, app["workspace_id"], user_id)
    if not is_author(app, member["role"], user_id):
        raise Forbidden("Only admins of the workspace and the app's author may do this.")
