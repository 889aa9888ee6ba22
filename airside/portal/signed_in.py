"""Who opens a page."""

from falcon.asgi import Request

from airside.host.chosen import host_of
from airside.identity.sessions import Session
from airside.portal import cookies
from airside.runtime.site import Site


async def find_signed_in(site: Site, req: Request) -> Session | None:
    """The session of the person who sent the request; None for somebody who isn't signed in."""
    return await host_of(site).find_session(site, cookies.read_session_id(site, req), req.cookies)
