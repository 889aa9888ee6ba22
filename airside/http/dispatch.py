"""Finding the endpoint of a path: a dictionary of whole paths, then a tree of their segments."""

from collections.abc import Mapping

from airside.http.endpoint import Endpoint

Found = tuple[Endpoint, dict[str, str]]


class _Node:
    """A place in the tree: the next segment is one of `literals`, or the value of `parameter`."""

    __slots__ = ("endpoint", "literals", "name", "parameter")

    def __init__(self) -> None:
        self.endpoint: Endpoint | None = None
        self.literals: dict[str, _Node] = {}
        self.name = ""
        self.parameter: _Node | None = None

    def add(self, segment: str) -> "_Node":
        """Raises ValueError for a parameter that another path names differently."""
        if not segment.startswith("{"):
            return self.literals.setdefault(segment, _Node())
        if self.parameter is None:
            self.name, self.parameter = segment[1:-1], _Node()
        if self.name != segment[1:-1]:
            raise ValueError(f"{segment} is {{{self.name}}} in another path")
        return self.parameter


class Dispatch:
    """Compiled from paths such as `/api/v1/users/{user_id}`, without a trailing slash."""

    def __init__(
        self, endpoints: Mapping[str, Endpoint], below: Mapping[str, Endpoint | None] | None = None
    ) -> None:
        """`below` are the endpoints of prefixes where no path fits, the longest prefix first; None: no endpoint."""
        self._literals: dict[str, Endpoint] = {}
        self._root = _Node()
        self._below = sorted((below or {}).items(), key=lambda item: -len(item[0]))
        self._depth = 0
        for path, endpoint in endpoints.items():
            self._add(path, endpoint)

    def _add(self, path: str, endpoint: Endpoint) -> None:
        node, segments = self._root, path.split("/")
        self._depth = max(self._depth, len(segments))
        for segment in segments:
            node = node.add(segment)
        if node.endpoint is not None:
            raise ValueError(f"{path} is declared twice")
        node.endpoint = endpoint
        if "{" not in path:
            self._literals[path] = endpoint

    def find(self, path: str) -> Found | None:
        """The endpoint and the path's parameters. A literal segment precedes a parameter."""
        literal = self._literals.get(path)
        if literal is not None:
            return literal, {}
        segments = path.split("/", self._depth)
        if len(segments) <= self._depth:
            parameters: dict[str, str] = {}
            endpoint = _walk(self._root, segments, 0, parameters)
            if endpoint is not None:
                return endpoint, parameters
        for prefix, below in self._below:
            if path.startswith(prefix):
                return None if below is None else (below, {})
        return None


def _walk(node: _Node, segments: list[str], at: int, parameters: dict[str, str]) -> Endpoint | None:
    """No more steps than the tree has places at each depth, whatever the path."""
    while at < len(segments):
        literal, parameter = node.literals.get(segments[at]), node.parameter
        if literal is None:
            if parameter is None:
                return None
            parameters[node.name] = segments[at]
            node = parameter
        elif parameter is None:
            node = literal
        else:
            found = _walk(literal, segments, at + 1, parameters)
            if found is not None:
                return found
            parameters[node.name] = segments[at]
            node = parameter
        at += 1
    return node.endpoint
