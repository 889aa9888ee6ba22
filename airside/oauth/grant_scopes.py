"""How requested scopes become a grant (RFC 6749 §3.3), and how a grant is shown to clients.

The scopes themselves, and what a grant is, are in apps/scopes.py.
"""

from airside.apps.scopes import (
    ANY_READ,
    ANY_WRITE,
    BY_NAME,
    READ,
    SCOPES,
    WRITE,
    Grant,
    covers,
    drop_umbrellas,
    is_of_kind,
    kind_of,
)
from airside.errors import AirsideError


class ScopeRefused(AirsideError):
    """The scope is unknown, or exceeds what may be granted (RFC 6749 §3.3)."""

    status = 400


def choose_scopes(requested: str | None, ceiling: Grant) -> Grant:
    """The grant for a `scope` parameter. Absent or empty requests the whole ceiling.

    Raises ScopeRefused for an unknown scope, one beyond the ceiling, or umbrella scopes that expand to nothing."""
    words = list(dict.fromkeys((requested or "").split()))
    if not words:
        return ceiling
    chosen: dict[str, None] = {}
    for word in words:
        chosen[word if word in (READ, WRITE) else _choose_granular(word, ceiling)] = None
        chosen |= dict.fromkeys(name for name in ceiling if word in (READ, WRITE) and is_of_kind(name, word))
    if not drop_umbrellas(chosen):
        raise ScopeRefused(f"The app is not registered for any scope of the kind {' '.join(words)}.")
    return list(chosen)


def narrow_scopes(requested: str | None, ceiling: Grant, *, unknown: str | None = READ) -> Grant:
    """As `choose_scopes`, for self-registered clients: unavailable scopes are dropped (RFC 6749 §3.3).

    They request scopes of other servers (`openid`, `offline_access` …). If all requested scopes are unknown, the
    request counts as one for `unknown`. Raises ScopeRefused when every known one exceeds the ceiling."""
    words = list(dict.fromkeys((requested or "").split()))
    known = [word for word in words if word in (READ, WRITE) or word in BY_NAME]
    if words and not known:
        return choose_scopes(unknown, ceiling)
    kept = [word for word in known if _can_have(word, ceiling)]
    return choose_scopes(" ".join(kept or known), ceiling)


def _can_have(word: str, ceiling: Grant) -> bool:
    if word in (READ, WRITE):
        return any(is_of_kind(name, word) for name in ceiling)
    return covers(ceiling, word)


def cap_scopes(grant: Grant, cap: Grant) -> Grant:
    """The intersection of both grants, with the umbrella scopes of `grant`."""
    kept = [word for word in grant if word in (READ, WRITE) or covers(cap, word)]
    wide = [word for word in (ANY_READ, ANY_WRITE) if word in grant and word not in kept]
    narrowed = [name for name in cap for kind in wide if is_of_kind(name, kind[2:])]
    return list(dict.fromkeys(kept + narrowed))


def show_scopes(grant: Grant) -> str:
    """The `scope` of a token reply."""
    umbrella = [word for word in (READ, WRITE) if word in grant or f"*:{word}" in grant]
    return " ".join([*umbrella, *(word for word in grant if word in BY_NAME)])


def caller_scopes(grant: Grant) -> frozenset[str] | None:
    """The scopes of a caller with this grant: granular scopes, plus `read` or `write` if the grant has `*:read` or
    `*:write`, which includes operations without a published scope. None: not limited by scope."""
    kinds = [kind for kind in (READ, WRITE) if f"*:{kind}" in grant]
    if len(kinds) == 2:
        return None
    wide = {scope.name for scope in SCOPES if kind_of(scope.name) in kinds}
    return frozenset(wide.union(kinds, (word for word in grant if word in BY_NAME)))


def _choose_granular(word: str, ceiling: Grant) -> str:
    if word not in BY_NAME:
        raise ScopeRefused(f"There is no scope {word[:80]!r}.")
    if not covers(ceiling, word):
        raise ScopeRefused(f"The scope {word} goes beyond what may be granted here.")
    return word
