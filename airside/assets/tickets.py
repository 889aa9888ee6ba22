"""Signed policies that allow uploading one file without credentials, and signed links that allow downloading one.

Like the presigned requests of object stores, for files that Airside itself receives and sends.
"""

import base64
import binascii
from datetime import datetime, timedelta
from urllib.parse import urlencode

import msgspec

from airside.errors import Forbidden
from airside.runtime.site import Site

LIFETIME = timedelta(hours=1)  # of an upload's policy
LINK_LIFETIME = timedelta(minutes=15)
PURPOSE, LINK_PURPOSE = "asset-upload", "file-download"
UPLOAD_PATH = "/api/assets/upload"
DOWNLOAD_PATH = "/api/assets/files"


class Policy(msgspec.Struct, frozen=True):
    """What is allowed: uploading this file, until it expires."""

    asset_id: str
    expires_at: datetime
    workspace_id: str | None = None  # None for a person's own file

    @property
    def key(self) -> str:
        """Of the file in the storage."""
        return f"{self.workspace_id}/{self.asset_id}" if self.workspace_id else self.asset_id


def issue_ticket(
    site: Site, asset_id: str, content_type: str | None, now: datetime, workspace_id: str | None = None
) -> dict[str, str]:
    """The form fields to send before the file."""
    policy = Policy(asset_id, now + LIFETIME, workspace_id)
    text = base64.urlsafe_b64encode(msgspec.json.encode(policy)).decode()
    fields = {
        "key": policy.key if workspace_id else f"user-assets/{asset_id}",
        "policy": text,
        "x-airside-signature": site.sealer.sign(text, PURPOSE),
    }
    return fields | ({"Content-Type": content_type} if content_type else {})


def check_ticket(site: Site, fields: dict[str, str], now: datetime) -> Policy:
    """What may be uploaded. Raises Forbidden."""
    text = fields.get("policy", "")
    if not site.sealer.is_signed(text, fields.get("x-airside-signature", ""), PURPOSE):
        raise Forbidden("The upload's signature does not match its policy.")
    try:
        policy = msgspec.json.decode(base64.urlsafe_b64decode(text), type=Policy)
    except (msgspec.DecodeError, binascii.Error) as error:
        raise Forbidden("The upload's policy can't be read.") from error
    if policy.expires_at <= now:
        raise Forbidden("The upload's policy has expired. Ask for a new one.")
    return policy


def issue_link(site: Site, workspace_id: str, file_id: str, now: datetime) -> str:
    """The URL of a workspace's file; it needs no credential and expires."""
    expires = str(int((now + LINK_LIFETIME).timestamp()))
    signature = site.sealer.sign(_signed_text(workspace_id, file_id, expires), LINK_PURPOSE)
    query = urlencode({"expires": expires, "signature": signature})
    return f"{site.settings.origin}{DOWNLOAD_PATH}/{workspace_id}/{file_id}/?{query}"


def check_link(
    site: Site, workspace_id: str, file_id: str, expires: str, signature: str, now: datetime
) -> None:
    """Raises Forbidden for a link that wasn't issued, or has expired."""
    if not site.sealer.is_signed(_signed_text(workspace_id, file_id, expires), signature, LINK_PURPOSE):
        raise Forbidden("The link's signature does not match.")
    if int(expires) <= now.timestamp():
        raise Forbidden("The link has expired. Ask for a new one.")


def _signed_text(workspace_id: str, file_id: str, expires: str) -> str:
    return f"{workspace_id}/{file_id} {expires}"
