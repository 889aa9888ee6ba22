"""The URL that names an S3-compatible bucket: s3://bucket/prefix?endpoint=…&public_endpoint=…&region=…"""

from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

OPTIONS = ("endpoint", "public_endpoint", "region")
FORM = "must be s3://bucket/prefix?endpoint=…&region=…, without credentials"


class Bucket(NamedTuple):
    """`public_endpoint` is the endpoint as clients reach it, which receives and sends their files."""

    name: str
    prefix: str  # of every key: "" or with a slash at its end
    endpoint: str | None
    public_endpoint: str | None
    region: str | None


def read_bucket_url(url: str) -> Bucket:
    """Raises ValueError with a sentence that follows the setting's name."""
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc or "@" in parts.netloc or parts.fragment:
        raise ValueError(FORM)
    try:
        options = parse_qs(parts.query, strict_parsing=True) if parts.query else dict[str, list[str]]()
    except ValueError:
        raise ValueError(FORM) from None
    if unknown := sorted(set(options) - set(OPTIONS)):
        raise ValueError(f"has no option {unknown[0]}, only {', '.join(OPTIONS)}")
    endpoint, public, region = (options.get(name, [None])[-1] for name in OPTIONS)
    for one in (endpoint, public):
        if one is not None and urlsplit(one).scheme not in ("http", "https"):
            raise ValueError("has an endpoint that starts neither with http:// nor with https://")
    prefix = parts.path.strip("/")
    return Bucket(parts.netloc, f"{prefix}/" if prefix else "", endpoint, public or endpoint, region)
