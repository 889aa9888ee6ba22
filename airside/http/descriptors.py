"""The process's limit of file descriptors, and how many of them clients may use."""

import contextlib
import resource

WANTED_DESCRIPTORS = 65_536  # the requested limit; most systems allow it, though the default is 1,024
MAX_CONNECTIONS = 10_000  # of clients, even if there are descriptors for more


def raise_descriptor_limit() -> int:
    """Raise the limit of descriptors up to WANTED_DESCRIPTORS; returns the new limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, WANTED_DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return WANTED_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    with contextlib.suppress(
        OSError, ValueError
    ):  # macOS reports unlimited, but refuses more than its own limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def connection_bound(descriptors: int, wanted: int = 0) -> int:
    """How many connections clients may open: at most half of the descriptors, so that the database, files, webhooks
    and a burst of new connections always have some. `wanted` is the operator's setting, 0 for none."""
    return max(1, min(wanted or MAX_CONNECTIONS, descriptors // 2))
