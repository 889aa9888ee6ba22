"""The same two sides of the wire as in tests/oauth."""

from tests.oauth.conftest import app_side, cast

__all__ = ["app_side", "cast"]
