"""People: signing up, in and out with their CSRF tokens, and what they set for themselves."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

from tests.support.upstream.routing import Credential, Routes
from tests.support.upstream.site import Site
from tests.support.upstream.store import Row, pick
from tests.support.upstream.wire import Answer, Call, broken, redirect

auth = Routes("/auth/", Credential.NONE)
me = Routes("/api/users/me/", Credential.SESSION)
v1 = Routes("/api/v1/users/me/", Credential.KEY)

YEAR, WEEK, HOUR = 31449600, 604800, 3600
CSRF_FAILURE = (
    "<!-- templates/csrf_failure.html -->\n<!doctype html>\n<title>CSRF Verification Failed</title>"
)
SHOWN = (
    "id avatar cover_image avatar_url cover_image_url date_joined display_name email first_name "
    "last_name is_active is_bot is_email_verified user_timezone username is_password_autoset "
    "last_login_medium last_login_time"
)
WHOLE = (
    "last_login id username mobile_number email display_name first_name last_name avatar "
    "avatar_asset cover_image cover_image_asset date_joined created_at updated_at last_location "
    "created_location is_superuser is_managed is_password_expired is_active is_staff "
    "is_email_verified is_password_autoset is_password_reset_required token last_active "
    "last_login_time last_logout_time last_login_ip last_logout_ip last_login_medium "
    "last_login_uagent token_updated_at is_bot bot_type user_timezone is_email_valid masked_at"
)
V1_USER = "id first_name last_name email avatar avatar_url display_name"
LITE_USER = "id first_name last_name avatar avatar_url is_bot display_name"
EDITABLE = ["first_name", "last_name", "display_name", "user_timezone", "avatar", "cover_image"]
NOTIFICATION_KINDS = ["property_change", "state_change", "comment", "mention", "issue_completed"]


def create_user(site: Site, email: str, password: str, **values: Any) -> Row:
    now = site.clock.now()
    blank = dict.fromkeys(
        ["first_name", "last_name", "avatar", "last_location", "created_location", "last_logout_ip"], ""
    )
    none = dict.fromkeys(
        [
            "mobile_number",
            "avatar_asset",
            "cover_image",
            "cover_image_asset",
            "cover_image_url",
            "avatar_url",
            "last_logout_time",
            "bot_type",
            "masked_at",
            "last_login",
            "last_login_time",
        ]
    )
    flags = dict.fromkeys(
        [
            "is_superuser",
            "is_managed",
            "is_password_expired",
            "is_staff",
            "is_email_verified",
            "is_password_autoset",
            "is_bot",
            "is_password_reset_required",
            "is_email_valid",
        ],
        False,
    )
    user = site.store.users.insert(
        **blank | none | flags,
        email=email.lower(),
        password=digest(password),
        username=secrets.token_hex(16),
        display_name=email.partition("@")[0],
        date_joined=now,
        is_active=True,
        token=secrets.token_hex(32),
        last_active=now,
        last_login_ip="127.0.0.1",
        last_login_medium="email",
        last_login_uagent="",
        token_updated_at=now,
        user_timezone="UTC",
    )
    user.update(values)
    site.store.user_notification_preferences.insert(
        **dict.fromkeys(NOTIFICATION_KINDS, True), user=user["id"], workspace=None, project=None
    )
    site.store.profiles.insert(**_new_profile(), user=user["id"])
    return user


def _new_profile() -> Row:
    steps = dict.fromkeys(
        ["workspace_join", "profile_complete", "workspace_create", "workspace_invite"], False
    )
    tour = dict.fromkeys(["pages", "cycles", "intake", "modules", "work_items"], False)
    return {
        "theme": {},
        "is_app_rail_docked": True,
        "is_tour_completed": False,
        "onboarding_step": steps,
        "use_case": None,
        "role": None,
        "is_onboarded": False,
        "last_workspace_id": None,
        "billing_address_country": "INDIA",
        "billing_address": None,
        "has_billing_address": False,
        "company_name": "",
        "notification_view_mode": "full",
        "is_smooth_cursor_enabled": False,
        "is_mobile_onboarded": False,
        "mobile_onboarding_step": {name: False for name in steps if name != "workspace_invite"},
        "mobile_timezone_auto_set": False,
        "language": "en",
        "start_of_the_week": 0,
        "goals": {},
        "background_color": "#07532c",
        "is_navigation_tour_completed": False,
        "has_marketing_email_consent": False,
        "is_subscribed_to_changelog": False,
        "product_tour": tour,
    }


def digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def set_cookie(call: Call, name: str, value: str, seconds: int) -> tuple[str, str]:
    expires = call.site.clock.now() + timedelta(seconds=seconds)
    flags = "; HttpOnly" + f"; Max-Age={seconds}; Path=/; SameSite=Lax"
    secure = "; Secure" if call.site.settings.secure_cookies else ""
    return "Set-Cookie", f"{name}={value}; expires={_http_date(expires)}{flags}{secure}"


def clear_session_cookie() -> tuple[str, str]:
    return (
        "Set-Cookie",
        'session-id=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax',
    )


def _http_date(moment: datetime) -> str:
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")


def _csrf_token(secret: str) -> str:
    salt = secrets.token_hex(16)
    return salt + hashlib.sha256((salt + secret).encode()).hexdigest()[:32]


def is_csrf_valid(call: Call) -> bool:
    """The form's token, or the header's, belongs to the cookie; over https the Referer is the public origin."""
    secret = call.cookies.get("csrftoken", "")
    token = call.form.get("csrfmiddlewaretoken") or call.headers.get("x-csrftoken", "")
    expected = hashlib.sha256((token[:32] + secret).encode()).hexdigest()[:32]
    referer = call.headers.get("referer", "")
    same_origin = call.scheme != "https" or referer.startswith(call.origin + "/") or referer == call.origin
    return bool(secret) and token[32:] == expected and same_origin


def csrf_failure() -> Answer:
    return Answer(CSRF_FAILURE, HTTPStatus.OK)


@auth("GET", "get-csrf-token/")
def give_csrf_token(call: Call) -> Answer:
    secret = call.cookies.get("csrftoken") or secrets.token_urlsafe(24)
    return Answer({"csrf_token": _csrf_token(secret)}, headers=[set_cookie(call, "csrftoken", secret, YEAR)])


def _failed(call: Call, code: int, message: str, email: str | None = None) -> Answer:
    about = f"&email={quote(email, safe='')}" if email else ""
    return redirect(f"{call.origin}/?error_code={code}&error_message={message}{about}")


@auth("POST", "sign-up/")
def sign_up(call: Call) -> Answer:
    site, email, password = call.site, call.form.get("email", "").lower(), call.form.get("password", "")
    if not is_csrf_valid(call):
        return csrf_failure()
    if site.configuration["ENABLE_EMAIL_PASSWORD"]["value"] == "0":
        return _failed(call, 5056, "EMAIL_PASSWORD_AUTHENTICATION_DISABLED")
    invited = site.store.workspace_member_invites.first(email=email)
    if site.configuration["ENABLE_SIGNUP"]["value"] == "0" and not invited:
        return _failed(call, 5015, "SIGNUP_DISABLED", email)
    if site.store.users.first(email=email):
        return _failed(call, 5030, "USER_ALREADY_EXIST", email)
    if not _is_strong(password):
        return _failed(call, 5021, "PASSWORD_TOO_WEAK", email)
    return _signed_in(call, create_user(site, email, password))


def _is_strong(password: str) -> bool:
    """Recorded for one weak and many random passwords only: stand-ins for the strength that zxcvbn measures."""
    return len(password) >= 8 and len(set(password)) >= 6 and bool(re.search(r"[^a-z]", password))


@auth("POST", "sign-in/")
def sign_in(call: Call) -> Answer:
    site, email = call.site, call.form.get("email", "").lower()
    if not is_csrf_valid(call):
        return csrf_failure()
    if site.configuration["ENABLE_EMAIL_PASSWORD"]["value"] == "0":
        return _failed(call, 5056, "EMAIL_PASSWORD_AUTHENTICATION_DISABLED")
    user = site.store.users.first(email=email, password=digest(call.form.get("password", "")), is_active=True)
    if user is None:
        return _failed(call, 5065, "AUTHENTICATION_FAILED_SIGN_IN", email)
    return _signed_in(call, user)


def _signed_in(call: Call, user: Row) -> Answer:
    now = call.site.clock.now()
    if "user-agent" not in call.headers:
        raise broken()
    user.update(last_login=now, last_login_time=now, last_login_uagent=call.headers["user-agent"])
    key = start_session(call.site, user)
    cookies = [
        set_cookie(call, "csrftoken", secrets.token_urlsafe(24), YEAR),
        set_cookie(call, "session-id", key, WEEK),
    ]
    return redirect(call.origin + _next_path(call.form.get("next_path", "")), *cookies)


def start_session(site: Site, user: Row) -> str:
    key = secrets.token_hex(16)
    site.sessions[key] = {"user": user["id"], "password": user["password"]}
    return key


def _next_path(asked: str) -> str:
    """Only the path of it is kept; one with an encoded URL or more than one parameter is dropped whole, as seen."""
    if not asked or "%" in asked or "&" in asked:
        return ""
    parts = urlsplit(asked)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return f"/?next_path={path}" if path.startswith("/") else ""


@auth("POST", "sign-out/")
def sign_out(call: Call) -> Answer:
    if not is_csrf_valid(call):
        return csrf_failure()
    call.site.sessions.pop(call.cookies.get("session-id", ""), None)
    return redirect(call.origin, clear_session_cookie())


def user_of_session(call: Call) -> Row | None:
    session = call.site.sessions.get(call.cookies.get("session-id", ""))
    if session is None:
        return None
    user = call.site.store.users.find(session["user"], is_active=True)
    return user if user and user["password"] == session["password"] else None


def lite_user(site: Site, id: str | None) -> Row | None:
    user = site.store.users.find(id)
    return pick(user, LITE_USER) if user else None


def v1_user(site: Site, id: str | None) -> Row:
    """Empty for nobody, as an expanded null is."""
    user = site.store.users.find(id)
    return pick(user, V1_USER) if user else {}


@v1("GET", "")
def show_me_to_key(call: Call) -> Row:
    return pick(call.user, V1_USER)


@me("GET", "")
def show_me(call: Call) -> Row:
    return pick(call.user, SHOWN)


@me("PATCH", "")
def change_me(call: Call) -> Row:
    values = {name: value for name, value in call.body.items() if name in EDITABLE}
    return pick(call.site.store.users.update(call.user, **values), WHOLE)


@me("DELETE", "")
def deactivate_me(call: Call) -> Answer:
    site = call.site
    site.store.users.update(call.user, is_active=False)
    for member in site.store.workspace_members.all(member=call.user["id"]):
        site.store.workspace_members.update(member, is_active=False)
    site.sessions.pop(call.cookies["session-id"], None)
    return Answer(status=204, headers=[clear_session_cookie()])


@me("PATCH", "onboard/")
def onboard(call: Call) -> Row:
    profile = call.site.store.profiles.first(user=call.user["id"])
    call.site.store.profiles.update(profile or {}, is_onboarded=bool(call.body.get("is_onboarded", False)))
    return {"message": "Updated successfully"}


@me("PATCH", "profile/")
def change_profile(call: Call) -> Row:
    profile = call.site.store.profiles.first(user=call.user["id"]) or {}
    call.site.store.profiles.update(profile, **{n: v for n, v in call.body.items() if n in _new_profile()})
    return pick(profile, " ".join(["id created_at updated_at", *_new_profile(), "user"]))


PREFERENCE = (
    "id created_at updated_at deleted_at property_change state_change comment mention "
    "issue_completed created_by updated_by user workspace project"
)


@me("GET PATCH", "notification-preferences/")
def notification_preferences(call: Call) -> Row:
    table = call.site.store.user_notification_preferences
    row = table.first(user=call.user["id"]) or {}
    if call.method == "PATCH":
        values = {name: bool(value) for name, value in call.body.items() if name in NOTIFICATION_KINDS}
        table.update(row, by=call.user["id"], **values)
    return pick(row, PREFERENCE)


def change_password(site: Site, user: Row, password: str, session: str | None = None) -> None:
    """As its page does it (the request isn't recorded): all sessions end but the one it was done in."""
    site.store.users.update(user, password=digest(password))
    if session in site.sessions:
        site.sessions[session]["password"] = user["password"]
