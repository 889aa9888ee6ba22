"""The list of purges that the worker is given, so that `worker/` itself needn't import them from every package."""

from collections.abc import Awaitable, Callable

from airside.assets.purge import purge_files
from airside.developer.usage import purge_usage
from airside.gateway.signing_in import purge_ended
from airside.installations.purge_unused import purge_unused
from airside.marketplace.purge import purge_orphaned
from airside.oauth.expiry import clear_expired
from airside.rest.stored_answers import purge_answers
from airside.runtime.site import Site
from airside.webhooks.listeners import end_forgotten
from airside.webhooks.purge import purge_delivered

# Each returns how many rows it deleted.
PURGES: tuple[Callable[[Site], Awaitable[int]], ...] = (
    clear_expired,
    purge_delivered,
    purge_unused,
    purge_usage,
    purge_orphaned,
    end_forgotten,
    purge_answers,
    purge_files,
    purge_ended,
)
