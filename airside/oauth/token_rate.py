"""How many tokens one client may be issued: a budget of its own, since each token costs a row."""

from airside.errors import RateLimited
from airside.oauth.clients import Client
from airside.oauth.errors import TooManyTokens
from airside.runtime.site import Site

PURPOSE = "token_source"


async def count_tokens(site: Site, client: Client, source: str) -> None:
    """Count one that is about to be issued, to a client that has authenticated. Raises TooManyTokens.

    Anybody can claim to be a public client, so there each address has a budget of its own, or a stranger could use
    up everybody's."""
    place = f" {site.sealer.sign(source, PURPOSE)}" if client.is_public else ""
    await count_tokens_of(site, f"{client.app_id}{place}")


async def count_tokens_of(site: Site, client: str) -> None:
    """Raises TooManyTokens."""
    try:
        await site.budgets.spend("tokens", site.settings.token_rate_limit, client)
    except RateLimited as error:
        raise TooManyTokens(error.retry_after) from None
