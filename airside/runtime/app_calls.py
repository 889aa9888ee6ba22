"""Counts API requests per app in memory, until they are written to the database.

A process that is killed loses the counts of a few seconds, which is acceptable for a usage figure.
"""

Key = tuple[str, str]  # workspace, app


class AppCalls:
    """One for each site."""

    def __init__(self) -> None:
        self._requests: dict[Key, int] = {}
        self._errors: dict[Key, int] = {}

    def count(self, key: Key, *, is_error: bool) -> None:
        """Count one request."""
        self._requests[key] = self._requests.get(key, 0) + 1
        if is_error:
            self._errors[key] = self._errors.get(key, 0) + 1

    def take(self) -> dict[Key, tuple[int, int]]:
        """Requests and errors of each app in each workspace; the counts are reset."""
        requests, errors = self._requests, self._errors
        self._requests, self._errors = {}, {}
        return {key: (count, errors.get(key, 0)) for key, count in requests.items()}

    def give_back(self, taken: dict[Key, tuple[int, int]]) -> None:
        """Add back counts that couldn't be written."""
        for key, (requests, errors) in taken.items():
            self._requests[key] = self._requests.get(key, 0) + requests
            if errors:
                self._errors[key] = self._errors.get(key, 0) + errors
