"""How a run moves: a table of values over its status and what happens to it, read by pure functions.

The movements are those that Plane documents. Where it is silent:
- a run that was asked to stop stays `stopping`, whatever its agent still reports, until it answers or fails;
- an agent may add to what it has completed, and a person's prompt reopens whatever has ended;
- a stop that nobody acknowledges within the time after which a run is stale ends the run.
"""

from datetime import datetime, timedelta
from typing import Final

CREATED, IN_PROGRESS, AWAITING, COMPLETED = "created", "in_progress", "awaiting", "completed"
STOPPING, STOPPED, FAILED, STALE = "stopping", "stopped", "failed", "stale"
STATUSES = (CREATED, IN_PROGRESS, AWAITING, COMPLETED, STOPPING, STOPPED, FAILED, STALE)

PROMPT, THOUGHT, ACTION = "prompt", "thought", "action"
RESPONSE, ELICITATION, ERROR = "response", "elicitation", "error"
TYPES = (PROMPT, THOUGHT, ACTION, RESPONSE, ELICITATION, ERROR)
EPHEMERAL = frozenset({THOUGHT, ACTION, ERROR})

CONTINUE, STOP, AUTH_REQUEST, SELECT = "continue", "stop", "auth_request", "select"
SIGNALS = (CONTINUE, STOP, AUTH_REQUEST, SELECT)

ACTIVE = frozenset({CREATED, IN_PROGRESS, AWAITING, STOPPING, STALE})
ENDED = frozenset({COMPLETED, STOPPED, FAILED})
FINAL = frozenset({STOPPED, FAILED})  # takes nothing more of its agent; a person's prompt reopens it

STALE_AFTER = timedelta(minutes=5)
UNRESPONSIVE_AFTER = timedelta(seconds=10)

# Which signals a type of activity can carry.
CARRIED: Final = {
    PROMPT: frozenset({CONTINUE, STOP}),
    THOUGHT: frozenset({CONTINUE}),
    ACTION: frozenset({CONTINUE}),
    RESPONSE: frozenset({CONTINUE, STOP, AUTH_REQUEST, SELECT}),  # STOP: it confirms one, or is its last word
    ELICITATION: frozenset({CONTINUE, AUTH_REQUEST, SELECT}),
    ERROR: frozenset({CONTINUE}),
}

_WORKING = {
    CREATED: IN_PROGRESS, IN_PROGRESS: IN_PROGRESS, AWAITING: IN_PROGRESS, STALE: IN_PROGRESS,
    COMPLETED: IN_PROGRESS, STOPPING: STOPPING,
}  # fmt: skip
_MOVES: Final = {
    THOUGHT: _WORKING,
    ACTION: _WORKING,
    RESPONSE: dict.fromkeys(_WORKING, COMPLETED) | {STOPPING: STOPPED},
    ELICITATION: dict.fromkeys(_WORKING, AWAITING) | {STOPPING: STOPPING},
    ERROR: dict.fromkeys(_WORKING, FAILED),
    PROMPT: _WORKING | {CREATED: CREATED} | dict.fromkeys(FINAL, IN_PROGRESS),
    STOP: dict.fromkeys(ACTIVE, STOPPING),
}


def next_status(status: str, activity: str, signal: str) -> str | None:
    """The status after an activity of this type; None when the run takes no such activity any more."""
    if signal not in CARRIED[activity]:
        return None
    is_asked_to_stop = activity == PROMPT and signal == STOP
    return _MOVES[STOP if is_asked_to_stop else activity].get(status)


def status_after_silence(status: str) -> str | None:
    """The status of a run that nothing was heard of for STALE_AFTER; None where nobody expects anything."""
    return {CREATED: STALE, IN_PROGRESS: STALE, STOPPING: STOPPED}.get(status)


def is_unresponsive(status: str, asked_at: datetime, answered_at: datetime | None, now: datetime) -> bool:
    """Whether the agent hasn't said a word for ten seconds to what it was last asked."""
    if status not in (CREATED, IN_PROGRESS, STOPPING, STALE):
        return False
    return (answered_at is None or answered_at < asked_at) and now - asked_at >= UNRESPONSIVE_AFTER
