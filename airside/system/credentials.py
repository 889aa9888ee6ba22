"""Creates, hashes and encrypts ("seals") credentials; the only place with cryptography for them.

Credentials that are only verified (tokens, codes, API keys, client secrets) are stored as SHA-256: they have 256
bits of entropy, so a slow hash would add nothing. Secrets that are used or shown again (webhook secrets) are sealed
with AES-GCM under the instance's key.
"""

import base64
import hashlib
import hmac
import secrets
from functools import cached_property, lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

BOT_TOKEN = "pln_bot_"
USER_TOKEN = "pln_"
CLI_TOKEN = "pln_cli_"
REFRESH_TOKEN = "pln_refresh_"
API_KEY = "plane_api_"
WEBHOOK_SECRET = "plane_wh_"
CLIENT_SECRET = "pln_secret_"

SIGNING = "webhook_secret"  # the purpose of sealed webhook secrets
SEALED_FOR = "sealed_for"  # in a column's `info`: its purpose, for db/reseal.py
KEY_ID = "key id"  # the purpose for deriving key ids; nothing is sealed for it
KEY_ID_LENGTH = 8  # hex digits
MAX_UNSEALED = 1_000  # unsealed values that a process caches


def new_credential(prefix: str = "") -> str:
    """A credential with 256 bits from the system's CSPRNG, letters and digits only after the prefix."""
    return prefix + secrets.token_hex(32)


def hash_credential(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


class Sealer:
    """Encrypts secrets that must be read again. `purpose` is bound in: a text sealed for one purpose can't be
    unsealed for another.

    A sealed text is `2.<key id>.<base64>`. The current key seals and signs; previous keys still unseal and verify,
    so that the key can be rotated without downtime."""

    def __init__(self, key: str, *previous: str) -> None:
        self._keys = [one.encode() for one in (key, *previous)]
        self._opened: dict[tuple[str, str], str] = {}

    @cached_property
    def key_ids(self) -> list[str]:
        """The ids of the keys in sealed texts, the current key's first; they reveal nothing about the keys."""
        return [_derive(root, KEY_ID).hex()[:KEY_ID_LENGTH] for root in self._keys]

    def seal(self, value: str, purpose: str) -> str:
        nonce = secrets.token_bytes(12)
        sealed = _cipher(self._keys[0], purpose).encrypt(nonce, value.encode(), purpose.encode())
        return f"2.{self.key_ids[0]}." + base64.urlsafe_b64encode(nonce + sealed).decode()

    def unseal(self, sealed: str, purpose: str) -> str:
        """Raises ValueError when it was sealed under an unknown key, or for another purpose.

        Unsealed values are cached: an endpoint's secret signs every delivery. An attacker who could read them from
        this process could read the key, too."""
        opened = self._opened.get((sealed, purpose))
        if opened is None:
            opened = self.unseal_once(sealed, purpose)
            if len(self._opened) >= MAX_UNSEALED:
                self._opened.clear()
            self._opened[sealed, purpose] = opened
        return opened

    def unseal_once(self, sealed: str, purpose: str) -> str:
        """As `unseal`, for what isn't needed again: nothing is cached."""
        root = self._find_key(sealed)
        raw = base64.urlsafe_b64decode(sealed.rpartition(".")[2])
        try:
            return _cipher(root, purpose).decrypt(raw[:12], raw[12:], purpose.encode()).decode()
        except InvalidTag:
            raise ValueError("sealed for another purpose, or damaged") from None

    def is_current(self, sealed: str) -> bool:
        """Whether it was sealed under the current key."""
        return self.key_id_of(sealed) == self.key_ids[0]

    @staticmethod
    def key_id_of(sealed: str) -> str:
        """The id of the key that sealed it, as in `key_ids`; "" when it has none."""
        version, _, rest = sealed.partition(".")
        return rest.partition(".")[0] if version == "2" else ""

    def sign(self, value: str, purpose: str) -> str:
        """A MAC for values that a browser sends back, such as CSRF tokens."""
        return _sign(self._keys[0], value, purpose)

    def is_signed(self, value: str, signature: str, purpose: str) -> bool:
        given = signature.encode("utf-8", "replace")
        return any(hmac.compare_digest(_sign(root, value, purpose).encode(), given) for root in self._keys)

    def _find_key(self, sealed: str) -> bytes:
        try:
            return self._keys[self.key_ids.index(self.key_id_of(sealed))]
        except ValueError:
            raise ValueError("sealed under another AIRSIDE_SECRET_KEY, or damaged") from None


def _sign(root: bytes, value: str, purpose: str) -> str:
    return hmac.new(_derive(root, purpose), value.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=64)
def _derive(root: bytes, purpose: str) -> bytes:
    return hmac.new(root, b"airside:" + purpose.encode(), hashlib.sha256).digest()


@lru_cache(maxsize=64)
def _cipher(root: bytes, purpose: str) -> AESGCM:
    return AESGCM(_derive(root, purpose))
