"""Why an app couldn't be installed in a Community Edition, in words for the admin who tries it.

What the Community Edition answered is never part of them: it may quote an address or a credential.
"""

import structlog

from airside.errors import AirsideError, Blocked, RateLimited, Unavailable
from airside.gateway.client import Reply, UpstreamRefused

_log = structlog.get_logger()
DEFAULT_WAIT = 60  # seconds; anonymous calls have a budget for each minute


class PasswordsOff(Blocked):
    """ENABLE_EMAIL_PASSWORD=0: no account can sign up or in (error 5056)."""

    title = "Plane doesn't let apps sign up"
    sentence = (
        "This Plane instance has sign-in by e-mail and password switched off, and an app's account needs it."
    )
    advice = (
        "An instance admin can switch it on for a minute under /god-mode/authentication/ (“Unique codes and"
        " passwords”: Password based login). Then start the installation again, and switch it off afterwards: an"
        " installed app goes on working without it. Nothing was installed."
    )


class SessionEnded(Blocked):
    title = "Your session in Plane has ended"
    sentence = "Plane doesn't know your session any more."
    advice = "Sign in to Plane again in this browser, then repeat this."


class NotAdmin(Blocked):
    title = "Plane refused this"
    sentence = "In Plane you are no admin of this workspace, or not any more."
    advice = "Ask an admin of the workspace to do this, or to make you one. Nothing was changed."


class OtherPerson(Blocked):
    title = "You are somebody else in Plane"
    sentence = "The session in Plane belongs to another person than your session here."
    advice = "Sign out of both, sign in to Plane, and repeat this."


class InProgress(Blocked):
    title = "Somebody is installing this app already"
    sentence = "The app's account in Plane is being made or ended at this moment."
    advice = "Wait a minute, then repeat this."


class InvitationLeft(Blocked):
    title = "Plane refused to invite the app"
    sentence = "Plane says that the app's account is invited already, and doesn't show that invitation."
    advice = (
        "Remove pending invitations to the app on the workspace's members page in Plane, then repeat this."
    )


class AccountLost(Blocked):
    """Its password doesn't work, so somebody changed, deactivated or deleted it."""

    title = "The app's account can't sign in"
    sentence = "Somebody deactivated the app's account in Plane, or changed its password."
    advice = "Repeat this: the app then gets a new account."


class UpstreamLimited(RateLimited):
    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.sentence = (
            f"Plane takes only a number of sign-ins each minute. Repeat this in {retry_after} seconds: it goes on"
            " where it stopped."
        )


# Why a request to the Community Edition failed, where the rest goes on without it.
FAILURES = (Blocked, RateLimited, Unavailable, UpstreamRefused)


def refusal_of(reply: Reply, doing: str) -> AirsideError:
    """The error for an answer that isn't 2xx to a request with a session or key. Logs its status."""
    _log.warning("upstream_refused", doing=doing, status=reply.status)
    if reply.status == 429:
        return UpstreamLimited(_seconds(reply))
    if reply.status == 401:
        return SessionEnded()
    return NotAdmin() if reply.status == 403 else UpstreamRefused(reply, doing)


def require_ok(reply: Reply, doing: str) -> Reply:
    """Raises the error of `refusal_of`."""
    if not reply.is_ok:
        raise refusal_of(reply, doing)
    return reply


def _seconds(reply: Reply) -> int:
    sent = reply.headers.get("Retry-After", "")
    return int(sent) if sent.isdecimal() and len(sent) < 6 else DEFAULT_WAIT
