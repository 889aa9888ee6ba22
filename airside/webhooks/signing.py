"""Plane's signature: hex HMAC-SHA256 of the raw body, keyed with the endpoint's secret."""

import hashlib
import hmac

SECRET = "webhook_secret"  # the purpose that every webhook secret is sealed for


def sign_body(body: bytes, secret: str) -> str:
    """The value of X-Plane-Signature."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
