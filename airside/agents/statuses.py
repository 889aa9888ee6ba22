"""The state machine of a run: a transition table over status and activity, and pure functions that read it.

The transitions are those that Plane documents. Where it documents none:
- a run that was asked to stop stays `stopping` despite further reports, until its agent responds or fails;
- an agent may add activities to a completed run, and a person's prompt reopens any ended run;
- a stop that isn't acknowledged within STALE_AFTER ends the run.
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
FINAL = frozenset({STOPPED, FAILED})  # accepts no activity of the agent; a person's prompt reopens it

STALE_AFTER = timedelta(minutes=5)
UNRESPONSIVE_AFTER = timedelta(seconds=10)

# Activity type → allowed signals.
CARRIED: Final = {
    PROMPT: frozenset({CONTINUE, STOP}),
    THOUGHT: frozenset({CONTINUE}),
    ACTION: frozenset({CONTINUE}),
    RESPONSE: frozenset(
        {CONTINUE, STOP, AUTH_REQUEST, SELECT}
    ),  # STOP: confirms a stop, or is the final response
    ELICITATION: frozenset({CONTINUE, AUTH_REQUEST, SELECT}),
    ERROR: frozenset({CONTINUE}),
}

_WORKING = {
    CREATED: IN_PROGRESS, IN_PROGRESS: IN_PROGRESS, AWAITING: IN_PROGRESS, STALE: IN_PROGRESS,
    COMPLETED: IN_PROGRESS, STOPPING: STOPPING,
}  # fmt: skip
_TRANSITIONS: Final = {
    THOUGHT: _WORKING,
    ACTION: _WORKING,
    RESPONSE: dict.fromkeys(_WORKING, COMPLETED) | {STOPPING: STOPPED},
    ELICITATION: dict.fromkeys(_WORKING, AWAITING) | {STOPPING: STOPPING},
    ERROR: dict.fromkeys(_WORKING, FAILED),
    PROMPT: _WORKING | {CREATED: CREATED} | dict.fromkeys(FINAL, IN_PROGRESS),
    STOP: dict.fromkeys(ACTIVE, STOPPING),
}


def next_status(status: str, activity: str, signal: str) -> str | None:
    """The status after an activity of this type; None when the run doesn't accept it."""
    if signal not in CARRIED[activity]:
        return None
    is_asked_to_stop = activity == PROMPT and signal == STOP
    return _TRANSITIONS[STOP if is_asked_to_stop else activity].get(status)


def status_after_timeout(status: str) -> str | None:
    """The status of a run without activity for STALE_AFTER; None if the status doesn't time out."""
    return {CREATED: STALE, IN_PROGRESS: STALE, STOPPING: STOPPED}.get(status)


def is_unresponsive(status: str, asked_at: datetime, answered_at: datetime | None, now: datetime) -> bool:
    """Whether the agent hasn't responded to its last prompt for UNRESPONSIVE_AFTER."""
    if status not in (CREATED, IN_PROGRESS, STOPPING, STALE):
        return False
    return (answered_at is None or answered_at < asked_at) and now - asked_at >= UNRESPONSIVE_AFTER
