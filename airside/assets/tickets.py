"""Signed policies that allow uploading one file without credentials, like the presigned POST of object stores."""

import base64
import binascii
from datetime import datetime, timedelta

import msgspec

from airside.db.base import Row
from airside.errors import Forbidden
from airside.runtime.site import Site

LIFETIME = timedelta(hours=1)
PURPOSE = "asset-upload"


class Policy(msgspec.Struct, frozen=True):
    """What is allowed: uploading this asset, until it expires."""

    asset_id: str
    expires_at: datetime


def issue_ticket(site: Site, asset: Row, now: datetime) -> dict[str, str]:
    """The form fields to send before the file."""
    policy = msgspec.json.encode(Policy(asset["id"], now + LIFETIME))
    text = base64.urlsafe_b64encode(policy).decode()
    fields = {
        "key": f"user-assets/{asset['id']}",
        "policy": text,
        "x-airside-signature": site.sealer.sign(text, PURPOSE),
    }
    return fields | ({"Content-Type": asset["content_type"]} if asset["content_type"] else {})


def check_ticket(site: Site, fields: dict[str, str], now: datetime) -> str:
    """The id of the asset that may be uploaded. Raises Forbidden."""
    text = fields.get("policy", "")
    if not site.sealer.is_signed(text, fields.get("x-airside-signature", ""), PURPOSE):
        raise Forbidden("The upload's signature does not match its policy.")
    try:
        policy = msgspec.json.decode(base64.urlsafe_b64decode(text), type=Policy)
    except (msgspec.DecodeError, binascii.Error) as error:
        raise Forbidden("The upload's policy can't be read.") from error
    if policy.expires_at <= now:
        raise Forbidden("The upload's policy has expired. Ask for a new one.")
    return policy.asset_id
