"""Making, hashing and sealing credentials; the one place that touches cryptography for them.

What only has to be recognised again (tokens, codes, API keys, client secrets) is kept as SHA-256: they have
256 bits of entropy, so a slow hash would add nothing. What has to be used or shown again (webhook secrets)
is sealed with AES-GCM under the instance's key.
"""

import base64
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

BOT_TOKEN = "pln_bot_"
USER_TOKEN = "pln_"
REFRESH_TOKEN = "pln_refresh_"
API_KEY = "plane_api_"
WEBHOOK_SECRET = "plane_wh_"
CLIENT_SECRET = "pln_secret_"


def new_credential(prefix: str = "") -> str:
    """A credential with 256 bits from the system's CSPRNG, letters and digits only after the prefix."""
    return prefix + secrets.token_hex(32)


def hash_credential(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def matches_hash(value: str, hashed: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(hash_credential(value), hashed)


class Sealer:
    """Seals what must be read again. `purpose` is bound in: what was sealed for one use opens for no other."""

    def __init__(self, key: str) -> None:
        self._root = key.encode()

    def seal(self, value: str, purpose: str) -> str:
        nonce = secrets.token_bytes(12)
        sealed = AESGCM(self._derive(purpose)).encrypt(nonce, value.encode(), purpose.encode())
        return "1." + base64.urlsafe_b64encode(nonce + sealed).decode()

    def unseal(self, sealed: str, purpose: str) -> str:
        """ValueError when it was sealed under another key or for another purpose."""
        raw = base64.urlsafe_b64decode(sealed.removeprefix("1."))
        try:
            return AESGCM(self._derive(purpose)).decrypt(raw[:12], raw[12:], purpose.encode()).decode()
        except InvalidTag:
            raise ValueError("sealed under another AIRSIDE_SECRET_KEY, or damaged") from None

    def sign(self, value: str, purpose: str) -> str:
        """A MAC for values that go out to a browser and come back, such as CSRF tokens."""
        return hmac.new(self._derive(purpose), value.encode(), hashlib.sha256).hexdigest()

    def is_signed(self, value: str, signature: str, purpose: str) -> bool:
        return hmac.compare_digest(self.sign(value, purpose).encode(), signature.encode("utf-8", "replace"))

    def _derive(self, purpose: str) -> bytes:
        return hmac.new(self._root, b"airside:" + purpose.encode(), hashlib.sha256).digest()
