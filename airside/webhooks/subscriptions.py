"""Which events a webhook can subscribe to: by name, by entity, and by the five flags of Plane's API v1."""

from collections.abc import Iterable

from airside.events.catalog import AGENT_RUN_CREATE, AGENT_RUN_USER_PROMPT, KINDS, UNCHOSEN, is_served

CHOICES: tuple[str, ...] = tuple(name for name in KINDS if name not in UNCHOSEN)
OF_AGENTS = (AGENT_RUN_CREATE, AGENT_RUN_USER_PROMPT)  # additional choices of `airside listen`
# v1's subscription flags are its names of entities.
FLAGS = ("project", "issue", "module", "cycle", "issue_comment")
_NAMES_OF = {flag: [kind.name for kind in KINDS.values() if kind.v1_event == flag] for flag in FLAGS}


def group_choices() -> list[tuple[str, list[str], bool]]:
    """Entity → its events' names, and whether they can happen on this instance; for a form."""
    groups: dict[str, list[str]] = {}
    for name in CHOICES:
        groups.setdefault(name.rpartition(".")[0], []).append(name)
    return [(entity, names, is_served(names[0])) for entity, names in groups.items()]


def find_unknown(names: Iterable[str], choices: Iterable[str] = CHOICES) -> list[str]:
    return [name for name in names if name not in choices]


def show_flags(names: list[str] | None) -> dict[str, bool]:
    """Each flag: whether all its events are subscribed to. `names` None: every event."""
    return {flag: names is None or set(_NAMES_OF[flag]) <= set(names) for flag in FLAGS}


def set_flags(names: list[str] | None, flags: dict[str, bool]) -> list[str] | None:
    """The names after switching these flags on and off; None (every event) stays None if all are on."""
    if names is None and all(flags.values()):
        return None
    chosen = dict.fromkeys(CHOICES if names is None else names)
    for flag, is_on in flags.items():
        for name in _NAMES_OF[flag]:
            if is_on:
                chosen[name] = None
            else:
                chosen.pop(name, None)
    return [name for name in CHOICES if name in chosen]
