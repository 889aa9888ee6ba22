"""The portal's cookies: the session, a guest's handle before sign-in, the notice of the last action, the theme."""

from datetime import UTC, datetime
from typing import Any

from falcon.asgi import Request, Response

from airside.identity.known_browsers import remember_person
from airside.identity.sessions import MAX_AGE
from airside.runtime.site import Site
from airside.system.credentials import new_credential

SESSION, GUEST, NOTICE = "airside_session", "airside_guest", "airside_notice"
BROWSER = "airside_browser"  # who has signed in on this browser before
NOTICE_SECONDS = 60
EPOCH = datetime.fromtimestamp(0, UTC)
A_YEAR = 365 * 24 * 3600  # seconds

# Notices that an action leaves for the next page. The cookie carries only the name.
NOTICES = {
    "app_saved": "The app is saved.",
    "app_deleted": "The app is deleted.",
    "secret_ended": "The client secret is revoked.",
    "uninstalled": "The app is uninstalled.",
    "suspended": "The app is suspended.",
    "unsuspended": "The app is resumed.",
    "app_repaired": "The app is a member again.",
    "projects_saved": "The app's project access is saved.",
    "scopes_approved": "The requested scopes are granted.",
    "scopes_declined": "The requested scopes are declined. The app keeps those it had.",
    "policy_saved": "The app policy is saved.",
    "apps_suspended": "The apps that the policy blocks are suspended.",
    "listing_saved": "The draft of the listing is saved.",
    "listing_submitted": "The listing is in review.",
    "listing_taken_back": "The listing is a draft again.",
    "listing_withdrawn": "The app is removed from the marketplace.",
    "listing_approved": "The listing is approved and published.",
    "listing_sent_back": "The changes are requested from the author.",
    "listing_delisted": "The app is removed from the marketplace.",
    "publisher_verified": "The publisher is verified.",
    "publisher_unverified": "The publisher is no longer verified.",
    "screenshot_added": "The screenshot is added.",
    "screenshots_saved": "The screenshots are saved.",
    "redelivered": "The delivery is queued for redelivery.",
    "redelivered_some": "The selected deliveries are queued for redelivery.",
    "redelivered_none": "None of the selected deliveries can be redelivered.",
    "switched_on": "The webhook is enabled, and a ping is queued.",
    "secret_switched": "Deliveries are signed with the new secret only.",
    "webhook_saved": "The webhook is saved.",
    "webhook_deleted": "The webhook is deleted.",
    "test_sent": "The test event is queued.",
    "key_revoked": "The API key is revoked.",
    "disconnected": "The app is disconnected.",
    "sign_in_ended": "The command line is signed out there.",
    "sign_ins_ended": "The command line is signed out on all their computers.",
    "role_saved": "The role is saved.",
    "removed": "The member is removed.",
    "left": "You have left the workspace.",
    "invitation_revoked": "The invitation is revoked.",
    "joined": "You have joined the workspace.",
    "workspace_made": "The workspace is created, and you are its admin.",
    "workspace_saved": "The workspace is saved.",
    "person_deactivated": "Their access has ended.",
    "person_reactivated": "They can sign in again.",
    "name_saved": "Your name is saved.",
    "password_changed": "Your password is changed, and you are signed out everywhere else.",
    "project_made": "The project is created. Add its first work item below.",
    "project_joined": "You are a member of the project now.",
    "project_saved": "The project is saved.",
    "project_deleted": "The project is deleted.",
    "project_archived": "The project is archived.",
    "project_unarchived": "The project is unarchived.",
    "item_deleted": "The work item is deleted.",
    "state_saved": "The state is saved.",
    "state_deleted": "The state is deleted.",
    "label_saved": "The label is saved.",
    "label_deleted": "The label is deleted.",
    "member_added": "The member is added.",
    "member_saved": "The role is saved.",
    "member_removed": "The member is removed from the project.",
    "theme_saved": "The theme is saved.",
}


def read_session_id(site: Site, req: Request) -> str:
    return read_cookie(req, full_name(site, SESSION))


def set_session_id(site: Site, resp: Response, session_id: str) -> None:
    """In front of a Community Edition it is kept until the browser is closed; a new one is begun without asking."""
    max_age = None if site.settings.upstream_url else int(MAX_AGE.total_seconds())
    set_cookie(site, resp, SESSION, session_id, max_age)


def drop_session_id(site: Site, resp: Response) -> None:
    set_cookie(site, resp, SESSION, "", 0)


def read_browser(site: Site, req: Request) -> str:
    return read_cookie(req, full_name(site, BROWSER))


def remember_browser(site: Site, req: Request, resp: Response, user_id: str) -> None:
    """So that this person's next sign-in here is rate-limited separately from other browsers' attempts."""
    cookie = remember_person(site, read_browser(site, req), user_id, new_credential())
    set_cookie(site, resp, BROWSER, cookie, A_YEAR)


def hold_guest(site: Site, req: Request, resp: Response) -> str:
    """The handle to which CSRF tokens are bound before sign-in; created when missing."""
    handle = read_guest(site, req)
    if not handle:
        handle = new_credential()
        set_cookie(site, resp, GUEST, handle, None)
    return handle


def read_guest(site: Site, req: Request) -> str:
    return read_cookie(req, full_name(site, GUEST))


def leave_notice(site: Site, resp: Response, name: str) -> None:
    assert name in NOTICES
    set_cookie(site, resp, NOTICE, name, NOTICE_SECONDS)


def take_notice(site: Site, req: Request, resp: Response) -> list[dict[str, str]]:
    """As templates show it, once: the cookie is deleted."""
    name = read_cookie(req, full_name(site, NOTICE))
    if name:
        set_cookie(site, resp, NOTICE, "", 0)
    return [{"tone": "good", "text": NOTICES[name]}] if name in NOTICES else []


def full_name(site: Site, name: str) -> str:
    """With the `__Host-` prefix over https, which browsers accept only from this host (RFC 6265bis §4.1.3.2).
    It demands the path /, so that under AIRSIDE_PAGES_PREFIX it is `__Secure-`."""
    if not is_https(site):
        return name
    return f"{'__Secure-' if site.settings.pages_prefix else '__Host-'}{name}"


def is_https(site: Site) -> bool:
    return site.settings.origin.startswith("https:")


def read_cookie(req: Request, name: str) -> str:
    return (req.get_cookie_values(name) or [""])[0]


def set_cookie(site: Site, resp: Response, name: str, value: str, max_age: int | None) -> None:
    """`max_age` in seconds; None keeps it until the browser is closed, 0 deletes it."""
    path = site.settings.pages_prefix or "/"
    options: dict[str, Any] = {"path": path, "http_only": True, "same_site": "Lax", "secure": is_https(site)}
    gone = EPOCH if max_age == 0 else None
    resp.set_cookie(full_name(site, name), value, max_age=max_age, expires=gone, **options)
