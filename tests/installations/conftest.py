"""The two sides of the wire, for stories of an installed app."""

from tests.oauth.conftest import app_side

__all__ = ["app_side"]
