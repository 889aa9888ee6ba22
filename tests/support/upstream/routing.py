"""Which endpoint answers which path: a table of patterns, compiled once."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.support.upstream.wire import Answer, Call

Endpoint = Callable[[Call], "Answer | dict[str, Any] | list[Any]"]
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
WORDS = {"slug": "[^/]+", "code": "[^/]+", "identifier": "[^/-]+", "sequence": "[^/]+", "name": ".+"}
ALIASES = {
    "{items}": "(?:work-items|issues)",
    "{members}": "(?:project-members|members)",
    "{attachments}": "(?:issue-attachments|attachments)",
}


class Credential(Enum):
    NONE = "none"
    KEY = "X-API-Key"
    SESSION = "session cookie"


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    endpoint: Endpoint
    credential: Credential
    limited: bool


@dataclass
class Routes:
    """The routes of one subject. `prefix` comes before each path; a path is relative to it."""

    prefix: str
    credential: Credential
    limited: bool = True  # by the rate limit of API keys
    rows: list[Route] = field(default_factory=list)

    def __call__(self, methods: str, path: str) -> Callable[[Endpoint], Endpoint]:
        def add(endpoint: Endpoint) -> Endpoint:
            pattern = compiled(self.prefix + path)
            self.rows += [
                Route(method, pattern, endpoint, self.credential, self.limited) for method in methods.split()
            ]
            return endpoint

        return add


def compiled(path: str) -> re.Pattern[str]:
    for alias, words in ALIASES.items():
        path = path.replace(alias, words)
    return re.compile(re.sub(r"<(\w+)>", lambda found: f"(?P<{found[1]}>{WORDS.get(found[1], UUID)})", path))


def v1_project(limited: bool = True) -> Routes:
    return Routes("/api/v1/workspaces/<slug>/projects/<project>/", Credential.KEY, limited)


def web_project() -> Routes:
    return Routes("/api/workspaces/<slug>/projects/<project>/", Credential.SESSION)


def matching(routes: Iterable[Route], path: str) -> list[tuple[Route, dict[str, str]]]:
    found = ((route, route.pattern.fullmatch(path)) for route in routes)
    return [(route, match.groupdict()) for route, match in found if match]
