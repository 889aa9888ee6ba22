"""Parses and writes the YAML subset of manifests: bounded in size, without anchors, tags and duplicate keys, and
with strings, booleans and null as the only scalars.

A subset, because the input is untrusted: an alias can expand a kilobyte to gigabytes, a tag can name a Python
class, and YAML 1.1 reads `no` as false and 1.10 as a number.
"""

# The stubs of PyYAML leave events, marks and nodes untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import re
from typing import Any

import yaml

from airside.errors import Invalid

MAX_BYTES = 64 * 1024  # bytes
MAX_DEPTH = 6  # levels of nesting; a manifest needs three
MAX_NODES = 4_000  # nodes


class Unreadable(Invalid):
    """The text isn't a valid manifest; the message names the line."""

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__({"manifest": [f"Line {line}: {why}" if line else why]})


class _Refused(Exception):
    def __init__(self, why: str, mark: Any) -> None:
        super().__init__(why)
        self.why, self.line = why, mark.line + 1


class _Loader(yaml.SafeLoader):
    """The safe loader, limited to the subset."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self.level = self.nodes = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _Refused("A manifest has no anchors and aliases.", event.start_mark)
        if getattr(event, "tag", None):
            raise _Refused("A manifest has no tags.", event.start_mark)
        self.nodes += 1
        self.level += 1
        if self.level > MAX_DEPTH or self.nodes > MAX_NODES:
            raise _Refused("A manifest isn't that deep or long.", event.start_mark)
        node = super().compose_node(parent, index)
        self.level -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _Refused("A key is a word.", key.start_mark)
            if key.value in seen:
                raise _Refused(f"{key.value[:80]} is there twice.", key.start_mark)
            seen.add(key.value)
        # Never SafeLoader's own, which merges `<<`.
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}


class _Dumper(yaml.SafeDumper):
    """Indents lists below their key, and never writes aliases."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def read_yaml(text: str) -> Any:
    """Mappings, lists, strings, booleans and None. Raises Unreadable."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise Unreadable(f"A manifest has at most {MAX_BYTES // 1024} kB.")
    loader: Any = None
    try:
        loader = _Loader(text)
        return loader.get_single_data()
    except _Refused as refused:
        raise Unreadable(refused.why, refused.line) from None
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        raise Unreadable(f"{error.problem or 'This is no YAML'}.", mark.line + 1 if mark else None) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise Unreadable("This is no YAML.") from None
    finally:
        if loader is not None:
            loader.dispose()


def write_yaml(value: Any) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, indent=2)


def _limit_resolvers() -> None:
    """Resolve only true, false and null. Other scalars stay strings: no dates, numbers, `yes`, or merge keys."""
    kept: dict[Any, list[tuple[str, Any]]] = {}
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items():
        kept[first] = [pair for pair in resolvers if pair[0].endswith(":null")]
    for first in "tf":
        kept[first] = [*kept.get(first, []), ("tag:yaml.org,2002:bool", _BOOLEAN)]
    _Loader.yaml_implicit_resolvers = kept


_BOOLEAN = re.compile(r"^(?:true|false)$")
_limit_resolvers()
