"""Noticing a proxy that isn't trusted: whatever comes through it counts as one address, which strangers use up."""

from typing import Protocol

import structlog

from airside.identity.sources import Request, is_trusted
from airside.runtime.counters import Counters
from airside.settings import Settings

COUNTED = "airside_untrusted_forwarded_requests"
MAX_PEERS = 10  # told apart; anybody can send the header
OTHERS = "others"

_log = structlog.get_logger("airside")


class Instance(Protocol):
    """What is needed of a site."""

    @property
    def settings(self) -> Settings: ...

    @property
    def counters(self) -> Counters: ...


class UntrustedProxies:
    """Counts X-Forwarded-For of peers that aren't trusted, and logs the first of them."""

    def __init__(self, site: Instance) -> None:
        self._site = site
        self._peers: set[str] = set()

    def notice(self, request: Request) -> None:
        if request.get_header("X-Forwarded-For") is None:
            return
        peer = request.remote_addr or ""
        if is_trusted(peer, self._site.settings.trusted_proxies):
            return
        if not self._peers:
            _log.warning("untrusted_proxy", peer=peer, advice=advise(peer))
        if peer not in self._peers and len(self._peers) >= MAX_PEERS:
            peer = OTHERS
        self._peers.add(peer)
        self._site.counters.add(COUNTED, peer)


def advise(peer: str) -> str:
    """For the log and `airside settings`."""
    return (
        f"X-Forwarded-For from {peer or 'an unknown peer'} is not believed: everybody behind it shares one address "
        f"and its limits. If it is your proxy, set AIRSIDE_TRUSTED_PROXIES={peer or '<its address>'}"
    )
