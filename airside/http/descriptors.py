"""How many file descriptors the process may open, and how many of them clients may hold."""

import contextlib
import resource

WANTED_DESCRIPTORS = (
    65_536  # the limit that is asked for; most systems allow it, though they begin with 1,024
)
MAX_CONNECTIONS = 10_000  # of clients, where descriptors would allow more


def raise_descriptor_limit() -> int:
    """Ask for as many descriptors as the system lets this process have; how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, WANTED_DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return WANTED_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    with contextlib.suppress(
        OSError, ValueError
    ):  # macOS says unlimited, and takes no more than its own bound
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def connection_bound(descriptors: int, wanted: int = 0) -> int:
    """How many connections clients may hold: half of the descriptors, so that the database, files, webhooks and
    a burst of new connections always find some. `wanted` is the operator's own figure, 0 for none."""
    return max(1, min(wanted or MAX_CONNECTIONS, descriptors // 2))
