"""Registers with a site how tokens are revoked with a user, a membership or an installation."""

from airside.oauth.tokens import revoke_families_of, revoke_installation
from airside.runtime.site import Site


def register_token_revoker(site: Site) -> None:
    """Called by all that open a site: the application, and each command of the command line. Idempotent."""
    site.tokens.register(of_user=revoke_families_of, of_installation=revoke_installation)
