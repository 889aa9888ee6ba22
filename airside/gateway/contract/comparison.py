"""Whether an answer is as recorded, where ids, times and secrets are other ones: each recorded id has to stand for
one given id, everywhere."""

import json
import re
from typing import Any, TypeGuard

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
SPECIAL = re.compile(
    rf"(?P<secret><(?!/)[\w:. -]+>)|(?P<id>{UUID})"
    r"|(?P<policy>eyJ[\w+/=-]{40,})|(?P<hex>\b[0-9a-f]{64}\b|\b[0-9a-f]{32}\b|\b[0-9a-f]{24}\b|(?<=%27)[0-9a-f]{32}(?=&))"
    r"|(?P<time>2026-11-(?:23|29)[T ]\d\d:\d\d:\d\d\.\d{6})"
    r"|(?P<stamp>202611(?:23|29)T\d{6}Z)|(?P<day>(?:\b|(?<=%2F))202611(?:23|29)\b)"
    r"|(?P<expires>expires=[^;]+)"
)
FORMS = {
    "secret": r"[\w.:+/=-]+",
    "id": UUID,
    "policy": r"[\w+/=-]+",
    "time": r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{6})?",
    "stamp": r"\d{8}T\d{6}Z",
    "day": r"\d{8}",
    "expires": r"expires=[^;]+",
}
TAGS = ("<p>", "<strong>", "<b>")  # elements of HTML, which aren't placeholders of secrets
# Chosen at random, or counted from the time of day.
FREE_SHAPES = {"logo_props", "data"}  # what people choose
FREE = {"epoch", "icon", "background_color", "LastModified", "favicon"}


class Names:
    """Which given id stands for which recorded one, and the given secret of each placeholder."""

    def __init__(self) -> None:
        self.given: dict[str, str] = {}
        self._recorded: dict[str, str] = {}
        self.secrets: dict[str, str] = {}

    def agree(self, recorded: str, given: str) -> bool:
        self.given.setdefault(recorded, given)
        self._recorded.setdefault(given, recorded)
        return self.given[recorded] == given and self._recorded[given] == recorded

    def translate(self, text: str) -> str:
        """A recorded request in the given ids and secrets."""
        text = re.sub(UUID, lambda found: self.given.get(found[0], found[0]), text)
        for placeholder, secret in self.secrets.items():
            text = text.replace(f"<{placeholder}>", secret)
        return text


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def compare(recorded: Any, given: Any, names: Names, path: str = "", unordered: bool = False) -> list[str]:
    """What differs, a sentence each."""
    if is_object(recorded) and "_truncated" in recorded:
        return _compare_head(recorded["_head"], given, names, path)
    if is_object(recorded) and is_object(given):
        return _compare_objects(recorded, given, names, path, unordered)
    if is_array(recorded) and is_array(given):
        return _compare_lists(recorded, given, names, path, unordered)
    if isinstance(recorded, str) and isinstance(given, str):
        return compare_texts(recorded, given, names, path)
    if type(recorded) is not type(given) or recorded != given:
        return [f"{path}: {recorded!r} recorded, {given!r} given"]
    return []


def _compare_objects(
    recorded: dict[str, Any], given: dict[str, Any], names: Names, path: str, unordered: bool
) -> list[str]:
    translated = {names.translate(name): value for name, value in recorded.items()}
    differences = [f"{path}.{name}: recorded, not given" for name in translated if name not in given]
    differences += [f"{path}.{name}: given, not recorded" for name in given if name not in translated]
    for name, value in translated.items():
        if name in given and name not in FREE:
            differences += compare(value, given[name], names, f"{path}.{name}", unordered)
    return differences


def _compare_lists(
    recorded: list[Any], given: list[Any], names: Names, path: str, unordered: bool
) -> list[str]:
    if len(recorded) != len(given):
        return [f"{path}: {len(recorded)} recorded, {len(given)} given"]
    if unordered or all(isinstance(entry, str) for entry in recorded):
        given = _aligned(recorded, given, names)
    differences: list[str] = []
    for place, (one, other) in enumerate(zip(recorded, given, strict=True)):
        differences += compare(one, other, names, f"{path}[{place}]", unordered)
    return differences


def _aligned(recorded: list[Any], given: list[Any], names: Names) -> list[Any]:
    """The given entries in the recorded order, as far as their ids are known."""
    rest, ordered = list(given), list[Any]()
    for entry in recorded:
        wanted = names.given.get(_key(entry))
        found = next((other for other in rest if _key(other) == wanted), rest[0])
        unknown = [other for other in rest if _key(other) not in names.given.values()]
        if wanted is None and unknown:
            found = unknown[0]
        rest.remove(found)
        ordered.append(found)
    return ordered


def _key(entry: Any) -> Any:
    return entry.get("id") if is_object(entry) else entry


def compare_shapes(recorded: Any, given: Any, names: Names, path: str = "") -> list[str]:
    """Whether names and types are the same; ids that it meets for the first time are learnt."""
    if is_object(recorded) and "_truncated" in recorded and is_array(given):
        return compare_shapes(_whole_entries(recorded["_head"][1:]), given, names, path)
    if is_object(recorded) and is_object(given):
        return _compare_object_shapes(recorded, given, names, path)
    if is_array(recorded) and is_array(given):
        return compare_shapes(recorded[0], given[0], names, f"{path}[0]") if recorded and given else []
    if recorded is None or given is None or isinstance(given, type(recorded)):
        _learn(recorded, given, names)
        return []
    return [f"{path}: {type(recorded).__name__} recorded, {type(given).__name__} given"]


def _compare_object_shapes(
    recorded: dict[str, Any], given: dict[str, Any], names: Names, path: str
) -> list[str]:
    if any(re.fullmatch(UUID, name) for name in recorded):  # a map by id
        return []
    differences = [f"{path}.{name}: recorded, not given" for name in recorded if name not in given]
    differences += [f"{path}.{name}: given, not recorded" for name in given if name not in recorded]
    for name in (recorded.keys() & given.keys()) - FREE_SHAPES:
        differences += compare_shapes(recorded[name], given[name], names, f"{path}.{name}")
    return differences


def _learn(recorded: Any, given: Any, names: Names) -> None:
    if isinstance(recorded, str) and re.fullmatch(UUID, recorded) and recorded not in names.given:
        names.agree(recorded, given)


def compare_texts(recorded: str, given: str, names: Names, path: str) -> list[str]:
    pattern, kinds = _pattern(recorded)
    match = re.fullmatch(pattern, given, re.DOTALL)
    if match is None:
        return [f"{path}: {recorded[:300]!r} recorded, {given[:300]!r} given"]
    differences: list[str] = []
    for (kind, token), value in zip(kinds, match.groups(), strict=True):
        if kind == "id" and not names.agree(token, value):
            differences.append(f"{path}: {token} stands for {names.given[token]}, {value} given")
        elif kind == "secret":
            names.secrets[token.strip("<>")] = value
    return differences


def _pattern(recorded: str) -> tuple[str, list[tuple[str, str]]]:
    pattern, kinds, end = "", list[tuple[str, str]](), 0
    for found in SPECIAL.finditer(recorded):
        kind = found.lastgroup or ""
        if found[0] in TAGS:
            continue
        form = FORMS.get(kind) or f"[0-9a-f]{{{len(found[0])}}}"
        pattern += re.escape(recorded[end : found.start()]) + f"({form})"
        kinds.append((kind, found[0]))
        end = found.end()
    return pattern + re.escape(recorded[end:]), kinds


def _compare_head(head: str, given: Any, names: Names, path: str) -> list[str]:
    """Of a long list only the beginning was kept: its envelope and the first entries."""
    entries: Any = given.get("results") if is_object(given) else given
    if not is_array(entries):
        return [f"{path}: a list recorded, {given!r:.300} given"]
    start = head.index('"results": [') + 12 if is_object(given) else 1
    differences: list[str] = []
    for place, entry in enumerate(_whole_entries(head[start:])):
        if place >= len(entries):
            return [f"{path}[{place}]: recorded, not given"]
        differences += compare(entry, entries[place], names, f"{path}[{place}]")
    if is_object(given):
        envelope = json.loads(head[:start] + "]}")
        differences += _compare_objects(
            {**envelope, "results": given["results"]}, given, Names(), path, False
        )
    return differences


def _whole_entries(text: str) -> list[Any]:
    decoder, entries = json.JSONDecoder(), list[Any]()
    while True:
        text = text.lstrip(", ")
        try:
            entry, end = decoder.raw_decode(text)
        except ValueError:
            return entries
        entries.append(entry)
        text = text[end:]
