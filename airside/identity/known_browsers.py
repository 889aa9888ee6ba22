"""Browsers in which somebody has signed in before. What they guess is counted apart from everybody else, so that
strangers at the same address, which behind a proxy may be everybody's, can't lock their owner out.

A browser keeps a handle and a MAC for each person who signed in there: nothing is stored here. Such a cookie is
worth a budget of guesses at that person's password, and nothing else.
"""

from airside.runtime.site import Site

PURPOSE = "known_browser"
MAX_PEOPLE = 5  # who share a browser


def find_handle(site: Site, cookie: str, user_id: str) -> str:
    """The browser's handle; empty when this person has never signed in there."""
    handle, macs = _parse(cookie)
    signed = f"{user_id} {handle}"
    return handle if any(site.sealer.is_signed(signed, mac, PURPOSE) for mac in macs) else ""


def remember_person(site: Site, cookie: str, user_id: str, new_handle: str) -> str:
    """The cookie with this person in it, and whoever else was."""
    handle, macs = _parse(cookie)
    if not handle:
        handle, macs = new_handle, []
    mac = site.sealer.sign(f"{user_id} {handle}", PURPOSE)
    return ".".join([handle, mac, *(other for other in macs if other != mac)][: MAX_PEOPLE + 1])


def _parse(cookie: str) -> tuple[str, list[str]]:
    handle, *macs = cookie.split(".")
    return handle[:100], macs[:MAX_PEOPLE]
