"""The stylesheet, scripts and icon: read once, under URLs that change with their content."""

import gzip
import hashlib
from pathlib import Path
from typing import NamedTuple

from falcon.asgi import Request, Response

from airside.errors import PageNotFound

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FOREVER = "public, max-age=31536000, immutable"


class Asset(NamedTuple):
    content_type: str
    body: bytes
    zipped: bytes
    digest: str


def _read_assets() -> dict[str, Asset]:
    found: dict[str, Asset] = {}
    for path in sorted((Path(__file__).parent / "static").iterdir()):
        if path.suffix in TYPES:
            body = path.read_bytes()
            digest = hashlib.sha256(body).hexdigest()[:12]
            found[path.name] = Asset(TYPES[path.suffix], body, gzip.compress(body, 9, mtime=0), digest)
    return found


_assets = _read_assets()


def static_path(name: str) -> str:
    """Of a file's page. KeyError for a missing file."""
    return f"/static/{_assets[name].digest}/{name}"


class StaticFile:
    """GET /static/<digest>/<name>. Under another digest, as while two versions run, it must not be cached."""

    async def on_get(self, req: Request, resp: Response, digest: str, name: str) -> None:
        asset = _assets.get(name)
        if asset is None:
            raise PageNotFound
        send_asset(req, resp, asset)
        resp.set_header("Cache-Control", FOREVER if digest == asset.digest else "no-cache")


class Favicon:
    """GET /favicon.ico, which browsers request unasked."""

    async def on_get(self, req: Request, resp: Response) -> None:
        send_asset(req, resp, _assets["favicon.svg"])
        resp.set_header("Cache-Control", "public, max-age=86400")


def send_asset(req: Request, resp: Response, asset: Asset) -> None:
    resp.content_type = asset.content_type
    resp.set_header("Vary", "Accept-Encoding")
    if "gzip" in (req.get_header("Accept-Encoding") or ""):
        resp.set_header("Content-Encoding", "gzip")
        resp.data = asset.zipped
    else:
        resp.data = asset.body
