"""API keys, which people make with their session: several for one account, each with its own budget."""

import secrets
from datetime import datetime

from tests.support.upstream.routing import Credential, Routes
from tests.support.upstream.site import Site
from tests.support.upstream.store import Row, pick
from tests.support.upstream.wire import Answer, Call, Refusal, missing, no_content

routes = Routes("/api/users/api-tokens/", Credential.SESSION)
MADE = (
    "id created_at updated_at deleted_at label description is_active last_used token user_type "
    "expired_at is_service allowed_rate_limit created_by updated_by user workspace"
)
LISTED = MADE.replace("is_active ", "").replace("token ", "").replace("id ", "id is_active ", 1)


def issue_key(site: Site, user: str, **values: object) -> Row:
    defaults = {
        "label": secrets.token_hex(16),
        "description": "",
        "is_active": True,
        "last_used": None,
        "token": f"plane_api_{secrets.token_hex(16)}",
        "user_type": 0,
        "expired_at": None,
        "is_service": False,
        "allowed_rate_limit": "60/min",
        "workspace": None,
    }
    return site.store.api_tokens.insert(by=user, **defaults | values, user=user)


def is_expired(site: Site, key: Row) -> bool:
    return key["expired_at"] is not None and key["expired_at"] <= site.clock.now()


@routes("POST", "")
def create_key(call: Call) -> Answer:
    values = {name: call.body[name] for name in ("label", "description") if name in call.body}
    if call.body.get("expired_at"):
        values["expired_at"] = _moment(call.body["expired_at"])
    key = issue_key(call.site, call.user["id"], **values)
    sent = {"expired_at": call.body["expired_at"]} if key["expired_at"] else {}
    return Answer(pick(key, MADE) | sent, 201)


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise Refusal(400, {"expired_at": ["Datetime has wrong format."]}) from None


@routes("GET", "")
def list_keys(call: Call) -> list[Row]:
    keys = call.site.store.api_tokens.newest(user=call.user["id"])
    return [pick(key, LISTED) | {"is_active": not is_expired(call.site, key)} for key in keys]


def _own(call: Call) -> Row:
    key = call.site.store.api_tokens.find(call.params["key"], user=call.user["id"])
    if key is None:
        raise missing()
    return key


@routes("PATCH", "<key>/")
def change_key(call: Call) -> Row:
    """Only its words change: `expired_at` and `is_active` are ignored in silence."""
    values = {name: call.body[name] for name in ("label", "description") if name in call.body}
    return pick(call.site.store.api_tokens.update(_own(call), by=call.user["id"], **values), MADE)


@routes("DELETE", "<key>/")
def delete_key(call: Call) -> Answer:
    call.site.store.api_tokens.delete(_own(call))
    return no_content()
