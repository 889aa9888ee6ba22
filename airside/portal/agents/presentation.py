"""A run as templates show it: its status, its current step, its activities, and what it waits for."""

from datetime import datetime, timedelta
from typing import Any

from airside.agents.content import read_option
from airside.agents.statuses import (
    ACTIVE,
    AUTH_REQUEST,
    AWAITING,
    ELICITATION,
    SELECT,
    UNRESPONSIVE_AFTER,
    is_unresponsive,
)
from airside.db.base import Row
from airside.portal.work.people import NOBODY, Person

WORDS = {
    "created": ("Waiting", ""),
    "in_progress": ("Working", "accent"),
    "awaiting": ("Needs an answer", "warn"),
    "completed": ("Answered", "good"),
    "stopping": ("Stopping", "warn"),
    "stopped": ("Stopped", ""),
    "failed": ("Failed", "bad"),
    "stale": ("Silent", "warn"),
}


def show_run(
    here: str, run: Row, activities: list[Row], people: dict[str, Person], now: datetime
) -> dict[str, Any]:
    """What `agents/_run.html` takes."""
    words, tone = WORDS[run["status"]]
    is_active = run["status"] in ACTIVE
    path = f"{here}/agents/runs/{run['id']}/"
    return {
        "id": run["id"],
        "agent": people.get(run["agent_user_id"], NOBODY),
        "creator": people.get(run["creator_id"], NOBODY),
        "status": run["status"],
        "words": words,
        "tone": tone,
        "is_active": is_active,
        "can_stop": is_active and run["status"] != "stopping",
        "started_at": run["started_at"],
        "ended_at": run["ended_at"],
        "took": describe_span(run["started_at"], run["ended_at"]),
        "first_after": describe_span(run["started_at"], run["first_activity_at"]),
        "external_link": run["external_link"],
        "href": path,
        "stop": f"{path}stop/",
        "answer": f"{path}answer/",
        "now": show_activity(activities[-1]) if is_active and is_in_progress(activities) else None,
        "steps": [show_activity(one) for one in activities],
        "question": show_question(run, activities),
        "problem": describe_problem(run),
        "is_unresponsive": is_unresponsive_now(run, now),
        "refresh_seconds": refresh_seconds(run, now),
    }


def is_in_progress(activities: list[Row]) -> bool:
    """Whether the newest activity is ephemeral: the next one replaces it."""
    return bool(activities) and activities[-1]["ephemeral"]


def is_unresponsive_now(run: Row, now: datetime) -> bool:
    return is_unresponsive(run["status"], run["asked_at"], run["answered_at"], now)


def refresh_seconds(run: Row, now: datetime) -> int | None:
    """Seconds until the agent counts as unresponsive if it sends nothing; None when it won't."""
    if is_unresponsive_now(run, now) or not is_unresponsive_now(run, run["asked_at"] + UNRESPONSIVE_AFTER):
        return None
    return int((run["asked_at"] + UNRESPONSIVE_AFTER - now).total_seconds()) + 1


def show_activity(activity: Row) -> dict[str, Any]:
    content = activity["content"]
    parameters = dict(content.get("parameters", {}))
    result = parameters.pop("result", None)
    return {
        "type": activity["type"],
        "body": content.get("body", ""),
        "action": content.get("action", ""),
        "parameters": parameters,
        "result": result,
        "signal": activity["signal"],
        "at": activity["created_at"],
        "comment": activity["comment_id"],
        "actor_id": activity["actor_id"],
    }


def show_question(run: Row, activities: list[Row]) -> dict[str, Any] | None:
    """The choice or authorization that the run waits for; None when there is none."""
    last = activities[-1] if activities else None
    if (
        last is None
        or run["status"] not in (AWAITING, "completed")
        or last["signal"] not in (SELECT, AUTH_REQUEST)
    ):
        return None
    given: Row = last["signal_metadata"] or Row()
    return {
        "is_asked": last["type"] == ELICITATION,
        "body": last["content"].get("body", ""),
        "options": [read_option(one) for one in given.get("options", [])] if last["signal"] == SELECT else [],
        "allow_multiple": bool(given.get("allow_multiple")),
        "url": given.get("url") if last["signal"] == AUTH_REQUEST else None,
    }


def describe_problem(run: Row) -> str:
    """Why the run was refused, in a sentence; empty otherwise: an agent reports its failures in the thread."""
    return (run["error_metadata"] or Row()).get("message", "") if run["refused_for"] else ""


def describe_span(since: datetime, until: datetime | None) -> str:
    """0.8 s, 12 s, 3 min; empty when `until` is None."""
    if until is None:
        return ""
    seconds = max((until - since) / timedelta(seconds=1), 0.0)
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
