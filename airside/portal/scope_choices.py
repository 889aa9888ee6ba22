"""Scopes as pages show them: the catalog to choose from, and permissions as sentences."""

from collections.abc import Iterable, Mapping
from typing import Any

from airside.apps.scopes import ANY_READ, ANY_WRITE, BY_NAME, READ, SCOPES, WRITE, describe_scopes, is_served

_UMBRELLAS = {ANY_READ: READ, ANY_WRITE: WRITE}


def scope_groups() -> list[dict[str, Any]]:
    """The whole catalog, as the macro `scope_picker` takes it."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for scope in SCOPES:
        access = scope.name.rpartition(":")[2]
        words = {"name": scope.name, "sentence": scope.sentence, "access": access}
        shown: dict[str, Any] = {**words, "is_served": is_served(scope.name)}
        groups.setdefault(scope.group, []).append(shown)
    return [{"name": name, "scopes": scopes} for name, scopes in groups.items()]


def spell_scopes(registered: Iterable[str]) -> list[str]:
    """As a form posts them and a client requests them: umbrella scopes are `read` and `write`."""
    return [_UMBRELLAS.get(scope, scope) for scope in registered]


def permission_groups(
    described: Mapping[str, list[str]],
    new: Mapping[str, list[str]] | None = None,
    reasons: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """The result of `describe_scopes`, as the macro `permission_list` takes it; `new` are marked, and `reasons` are
    the app's reasons for its scopes."""
    reason_of = _by_sentence(reasons or {})
    groups: list[dict[str, Any]] = []
    for name, sentences in described.items():
        group: dict[str, Any] = {"name": name, "read": [], "write": []}
        for sentence in sentences:
            is_new = sentence in (new or {}).get(name, [])
            shown = {"sentence": sentence, "is_new": is_new, "reason": reason_of.get((name, sentence), "")}
            shown["is_served"] = (name, sentence) not in _NOT_SERVED
            group[_ACCESS[name, sentence]].append(shown)
        groups.append(group)
    return groups


def spell_reasons(reasons: Mapping[str, str]) -> dict[str, str]:
    """Reasons by scope, spelled as a form posts them."""
    return {_UMBRELLAS.get(scope, scope): reason for scope, reason in reasons.items()}


def _by_sentence(reasons: Mapping[str, str]) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for scope, reason in reasons.items():
        for group, sentences in describe_scopes([scope]).items():
            found |= {(group, sentence): reason for sentence in sentences}
    return found


def _access_by_sentence() -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for scope in (ANY_READ, ANY_WRITE, *BY_NAME):
        for group, [sentence] in describe_scopes([scope]).items():
            found[group, sentence] = scope.rpartition(":")[2]
    return found


_ACCESS = _access_by_sentence()
_NOT_SERVED = frozenset((scope.group, scope.sentence) for scope in SCOPES if not is_served(scope.name))
