"""The storage behind a Community Edition: presigned uploads and downloads at an address of its own."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from python_multipart import parse_form

from tests.support.upstream.site import Site
from tests.support.upstream.store import Row

BUCKET = "uploads"
SECRET = b"storage-secret"
EXPIRES_SECONDS = 3600


def _sign(text: str) -> str:
    return hmac.new(SECRET, text.encode(), hashlib.sha256).hexdigest()


def presigned_upload(site: Site, origin: str, key: str, kind: str, size: int) -> Row:
    now = site.clock.now()
    stamp, expires = now.strftime("%Y%m%dT%H%M%SZ"), now + timedelta(seconds=EXPIRES_SECONDS)
    fields = {
        "Content-Type": kind,
        "key": key,
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": f"access-key/{now:%Y%m%d}/us-east-1/s3/aws4_request",
        "x-amz-date": stamp,
    }
    conditions = [{"bucket": BUCKET}, ["content-length-range", 1, size], {"Content-Type": kind}, {"key": key}]
    policy = json.dumps({"expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"), "conditions": conditions})
    encoded = base64.b64encode(policy.encode()).decode()
    signed = {**fields, "policy": encoded, "x-amz-signature": _sign(encoded)}
    return {"url": f"{site.settings.storage_url or origin}/{BUCKET}", "fields": signed}


def presigned_download(site: Site, origin: str, key: str, name: str, disposition: str) -> str:
    now = site.clock.now()
    query = {
        "response-content-disposition": f"{disposition}; filename*=UTF-8''{quote(name)}",
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"access-key/{now:%Y%m%d}/us-east-1/s3/aws4_request",
        "X-Amz-Date": now.strftime("%Y%m%dT%H%M%SZ"),
        "X-Amz-Expires": str(EXPIRES_SECONDS),
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Signature": _sign(key),
    }
    base = site.settings.storage_url or origin
    return f"{base}/{BUCKET}/{key}?{urlencode(query, quote_via=quote, safe='')}"


class Storage:
    """The ASGI application that takes such uploads and gives the files out again."""

    def __init__(self, site: Site) -> None:
        self.site = site

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        raw, more = b"", True
        while more:
            message = await receive()
            raw, more = raw + message.get("body", b""), message.get("more_body", False)
        if scope["method"] == "POST":
            status, kind, body = self._store(dict(scope["headers"]), raw)
        else:
            status, kind, body = self._give(scope["path"], scope["query_string"].decode())
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _store(self, headers: dict[bytes, bytes], raw: bytes) -> tuple[int, str, bytes]:
        fields, content = _parts(headers, raw)
        policy = fields.get("policy", "")
        if not hmac.compare_digest(_sign(policy), fields.get("x-amz-signature", "")):
            return 403, "application/xml", b"<Error><Code>SignatureDoesNotMatch</Code></Error>"
        conditions = json.loads(base64.b64decode(policy))["conditions"]
        if {"key": fields.get("key")} not in conditions or not 1 <= len(content) <= conditions[1][2]:
            return 400, "application/xml", b"<Error><Code>EntityTooLarge</Code></Error>"
        self.site.files[fields["key"]] = (fields.get("Content-Type", ""), content)
        return 204, "application/xml", b""

    def _give(self, path: str, query: str) -> tuple[int, str, bytes]:
        key = path.removeprefix(f"/{BUCKET}/")
        if parse_qs(query).get("X-Amz-Signature") != [_sign(key)]:
            return 403, "application/xml", b"<Error><Code>AccessDenied</Code></Error>"
        if key not in self.site.files:
            return 404, "application/xml", b"<Error><Code>NoSuchKey</Code></Error>"
        kind, content = self.site.files[key]
        return 200, kind, content


def _parts(headers: dict[bytes, bytes], raw: bytes) -> tuple[dict[str, str], bytes]:

    fields: dict[str, str] = {}
    files: list[bytes] = []

    def on_file(file: Any) -> None:
        file.file_object.seek(0)
        files.append(file.file_object.read())

    def on_field(field: Any) -> None:
        fields[field.field_name.decode()] = (field.value or b"").decode()

    kind = headers.get(b"content-type", b"")
    parse_form(
        {"Content-Type": kind, "Content-Length": str(len(raw)).encode()}, BytesIO(raw), on_field, on_file
    )
    return fields, files[0] if files else b""
