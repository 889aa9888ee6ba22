"""What else happens, in the same transaction, when a record changes: rooms above the record's own register it here.

The gate runs them after the change's event, whichever door the change came through. `create_app` is the list.
"""

from collections.abc import Awaitable, Callable
from typing import Any

# Called with the call in progress, the record before (None for a new one) and the record after.
ChangeHook = Callable[[Any, dict[str, Any] | None, dict[str, Any]], Awaitable[None]]


class ChangeHooks:
    """Reactions by the name of the event that they follow."""

    def __init__(self) -> None:
        self._by_event: dict[str, list[ChangeHook]] = {}

    def add(self, event: str, hook: ChangeHook) -> None:
        """Once more changes nothing."""
        hooks = self._by_event.setdefault(event, [])
        if hook not in hooks:
            hooks.append(hook)

    async def run(self, event: str, call: Any, before: dict[str, Any] | None, after: dict[str, Any]) -> None:
        for hook in self._by_event.get(event, ()):
            await hook(call, before, after)
