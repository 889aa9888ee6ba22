"""The first start: creates a sandbox workspace and its admin, whose password is shown once."""

import secrets
from datetime import timedelta

from airside.db.base import Row
from airside.errors import Conflict
from airside.identity.users import count_people, create_user, find_user_by_email, set_password
from airside.runtime.site import Site
from airside.workspaces.create import create_workspace
from airside.workspaces.find import list_workspaces_of

SLUG = "sandbox"
EMAIL = "admin@example.com"  # RFC 2606: mail to it reaches nobody
SETTLING = timedelta(seconds=10)  # grace period for another server's first start in progress


async def make_sandbox(site: Site) -> str | None:
    """The welcome text with the password; None when the first start is over, and in front of a Community Edition,
    where people and workspaces come from."""
    if site.settings.upstream_url:
        return None
    unfinished = await find_user_by_email(site.db, EMAIL)
    if not await _is_first(site, unfinished):
        return None
    password = secrets.token_urlsafe(12)
    try:
        admin = unfinished or await create_user(
            site, email=EMAIL, password=password, first_name="Sandbox", last_name="Admin", is_operator=True
        )
        if unfinished is not None:  # it was interrupted before the password was shown
            await set_password(site, admin["id"], password)
        await create_workspace(site, name="Sandbox", slug=SLUG, owner_id=admin["id"])
    except Conflict:
        return None  # another server was first, and showed its password
    return f"""
  Airside is ready at {site.settings.page_address("/")}

  Sign in with   {EMAIL}
  Password       {password}     (shown only this once)
  Your apps      {site.settings.page_address(f"/{SLUG}/settings/applications/")}
"""


async def _is_first(site: Site, admin: Row | None) -> bool:
    people = await count_people(site.db)
    if admin is None or people > 1:
        return people == 0
    is_settling = site.clock.now() - admin["created_at"] < SETTLING
    return not is_settling and not await list_workspaces_of(site.db, admin["id"])
