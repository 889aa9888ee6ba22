"""Which events a webhook can subscribe to: by name, by entity, and by the five flags of Plane's API v1."""

from collections.abc import Iterable
from functools import cache

from airside.events.catalog import (
    AGENT_RUN_CREATE,
    AGENT_RUN_USER_PROMPT,
    UNCHOSEN,
    entity_of,
    is_served,
    list_kinds,
)

OF_AGENTS = (AGENT_RUN_CREATE, AGENT_RUN_USER_PROMPT)  # additional choices of `airside listen`
# v1's subscription flags are its names of entities.
FLAGS = ("project", "issue", "module", "cycle", "issue_comment")


@cache
def list_choices() -> tuple[str, ...]:
    """The names that a webhook can subscribe to."""
    return tuple(name for name in list_kinds() if name not in UNCHOSEN)


@cache
def names_of(flag: str) -> tuple[str, ...]:
    return tuple(kind.name for kind in list_kinds().values() if kind.v1_event == flag)


def group_choices() -> list[tuple[str, list[str], bool]]:
    """Entity → its events' names, and whether they can happen on this instance; for a form."""
    groups: dict[str, list[str]] = {}
    for name in list_choices():
        groups.setdefault(entity_of(name), []).append(name)
    return [(entity, names, is_served(names[0])) for entity, names in groups.items()]


def find_unknown(names: Iterable[str], choices: Iterable[str] | None = None) -> list[str]:
    """Those that aren't among `choices`; None: `list_choices`."""
    allowed = list_choices() if choices is None else choices
    return [name for name in names if name not in allowed]


def show_flags(names: list[str] | None) -> dict[str, bool]:
    """Each flag: whether all its events are subscribed to. `names` None: every event."""
    return {flag: names is None or set(names_of(flag)) <= set(names) for flag in FLAGS}


def set_flags(names: list[str] | None, flags: dict[str, bool]) -> list[str] | None:
    """The names after switching these flags on and off; None (every event) stays None if all are on."""
    if names is None and all(flags.values()):
        return None
    chosen = dict.fromkeys(list_choices() if names is None else names)
    for flag, is_on in flags.items():
        for name in names_of(flag):
            if is_on:
                chosen[name] = None
            else:
                chosen.pop(name, None)
    return [name for name in list_choices() if name in chosen]
