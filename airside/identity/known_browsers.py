"""Device cookies: browsers in which a user has signed in before have their own limit of sign-in attempts, so that
strangers at the same address, which behind a proxy may be everybody's, can't lock the user out.

The cookie holds a handle and a MAC for each user who signed in there; the server stores nothing. It grants a budget
of guesses at those users' passwords, and nothing else.
"""

from airside.runtime.site import Site

PURPOSE = "known_browser"
MAX_PEOPLE = 5  # users per browser


def find_handle(site: Site, cookie: str, user_id: str) -> str:
    """The browser's handle; empty when this user has never signed in there."""
    handle, macs = _parse(cookie)
    signed = f"{user_id} {handle}"
    return handle if any(site.sealer.is_signed(signed, mac, PURPOSE) for mac in macs) else ""


def remember_person(site: Site, cookie: str, user_id: str, new_handle: str) -> str:
    """The cookie with this user added first; at most MAX_PEOPLE are kept."""
    handle, macs = _parse(cookie)
    if not handle:
        handle, macs = new_handle, []
    mac = site.sealer.sign(f"{user_id} {handle}", PURPOSE)
    return ".".join([handle, mac, *(other for other in macs if other != mac)][: MAX_PEOPLE + 1])


def _parse(cookie: str) -> tuple[str, list[str]]:
    handle, *macs = cookie.split(".")
    return handle[:100], macs[:MAX_PEOPLE]
