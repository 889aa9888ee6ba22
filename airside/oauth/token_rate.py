"""The rate limit of issued tokens per client: its own budget, since each token costs a row."""

from airside.errors import RateLimited
from airside.oauth.clients import Client
from airside.oauth.errors import TooManyTokens
from airside.runtime.site import Site

PURPOSE = "token_source"


async def count_tokens(site: Site, client: Client, source: str) -> None:
    """Count a token about to be issued to an authenticated client. Raises TooManyTokens.

    Anybody can send a public client's client_id, so each address has its own budget there; else a stranger could
    exhaust everybody's."""
    suffix = f" {site.sealer.sign(source, PURPOSE)}" if client.is_public else ""
    await count_tokens_of(site, f"{client.app_id}{suffix}")


async def count_tokens_of(site: Site, client: str) -> None:
    """Raises TooManyTokens."""
    try:
        await site.budgets.spend("tokens", site.settings.token_rate_limit, client)
    except RateLimited as error:
        raise TooManyTokens(error.retry_after) from None
