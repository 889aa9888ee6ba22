"""Detects an untrusted reverse proxy: all clients behind it share one address, and so its rate limits."""

from typing import Protocol

import structlog

from airside.audit.sources import Request, is_trusted
from airside.runtime.counters import Counters
from airside.settings import Settings

COUNTED = "airside_untrusted_forwarded_requests"
MAX_PEERS = 10  # counted separately; any client can send the header
OTHERS = "others"

_log = structlog.get_logger("airside")


class Instance(Protocol):
    """The part of Site that is used here."""

    @property
    def settings(self) -> Settings: ...

    @property
    def counters(self) -> Counters: ...


class UntrustedProxies:
    """Counts X-Forwarded-For headers from untrusted peers, and logs the first one."""

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
    """The warning in the log and in `airside settings`."""
    return (
        f"X-Forwarded-For from {peer or 'an unknown peer'} is not believed: everybody behind it shares one address "
        f"and its limits. If it is your proxy, set AIRSIDE_TRUSTED_PROXIES={peer or '<its address>'}"
    )
