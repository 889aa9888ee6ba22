"""Hooks that run in the same transaction when a record changes, registered by packages above the record's own.

The write gate runs them after recording the change's event, whatever made the change. `create_app` registers them.
"""

from collections.abc import Awaitable, Callable
from typing import Any

# Called with the call in progress, the record before (None for a new one) and the record after.
ChangeHook = Callable[[Any, dict[str, Any] | None, dict[str, Any]], Awaitable[None]]


class ChangeHooks:
    """The hooks by the name of their event."""

    def __init__(self) -> None:
        self._by_event: dict[str, list[ChangeHook]] = {}

    def add(self, event: str, hook: ChangeHook) -> None:
        """Register the hook; registering it twice changes nothing."""
        hooks = self._by_event.setdefault(event, [])
        if hook not in hooks:
            hooks.append(hook)

    async def run(self, event: str, call: Any, before: dict[str, Any] | None, after: dict[str, Any]) -> None:
        for hook in self._by_event.get(event, ()):
            await hook(call, before, after)
