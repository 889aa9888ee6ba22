"""How often apps called this process since it was last written down: an increment in memory, and no more.

A process that is killed loses what it counted since then, a few seconds' worth; a figure for people may do that.
"""

Key = tuple[str, str]  # workspace, app


class AppCalls:
    """One for each site."""

    def __init__(self) -> None:
        self._requests: dict[Key, int] = {}
        self._errors: dict[Key, int] = {}

    def count(self, key: Key, *, is_error: bool) -> None:
        """One request, answered well or with an error."""
        self._requests[key] = self._requests.get(key, 0) + 1
        if is_error:
            self._errors[key] = self._errors.get(key, 0) + 1

    def take(self) -> dict[Key, tuple[int, int]]:
        """Requests and errors of each app in each workspace, which are counted anew from here on."""
        requests, errors = self._requests, self._errors
        self._requests, self._errors = {}, {}
        return {key: (count, errors.get(key, 0)) for key, count in requests.items()}

    def give_back(self, taken: dict[Key, tuple[int, int]]) -> None:
        """What couldn't be written down."""
        for key, (requests, errors) in taken.items():
            self._requests[key] = self._requests.get(key, 0) + requests
            if errors:
                self._errors[key] = self._errors.get(key, 0) + errors
