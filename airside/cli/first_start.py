"""The first start: a workspace to try things in, and its admin, whose password is shown once."""

import secrets

from airside.identity.users import count_people, create_user
from airside.site import Site
from airside.workspaces.create import create_workspace

SLUG = "sandbox"
EMAIL = "admin@example.com"  # RFC 2606: mail to it reaches nobody


async def make_sandbox(site: Site) -> str | None:
    """What to tell the person who started Airside; None when there are users already."""
    if await count_people(site.db):
        return None
    password = secrets.token_urlsafe(12)
    admin = await create_user(
        site, email=EMAIL, password=password, first_name="Sandbox", last_name="Admin", is_operator=True
    )
    await create_workspace(site, name="Sandbox", slug=SLUG, owner_id=admin["id"])
    return f"""
  Airside is ready at {site.settings.origin}

  Sign in with   {EMAIL}
  Password       {password}     (shown only this once)
  Your apps      {site.settings.origin}/{SLUG}/settings/applications/
"""
