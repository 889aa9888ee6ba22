"""Where a new property or option stands: after the last one."""

FIRST_SORT = 65_535.0
SORT_STEP = 10_000.0


def next_sort(last: float | None) -> float:
    """The order of what is added after the `last` one; None: there is none."""
    return FIRST_SORT if last is None else last + SORT_STEP
