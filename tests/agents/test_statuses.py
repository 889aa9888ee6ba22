"""How a run moves: every status with every activity and signal, and no order of events that breaks it."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airside.agents.statuses import (
    ENDED,
    FINAL,
    SIGNALS,
    STATUSES,
    TYPES,
    is_unresponsive,
    next_status,
    status_after_timeout,
)

# One row for each status: what it becomes by a prompt, a stop, a thought or action, a response, an elicitation and
# an error; "-" is refused. Written out by hand from the wire facts, so that the code is compared with something.
TABLE = """
created      created      stopping  in_progress  completed  awaiting  failed
in_progress  in_progress  stopping  in_progress  completed  awaiting  failed
awaiting     in_progress  stopping  in_progress  completed  awaiting  failed
stale        in_progress  stopping  in_progress  completed  awaiting  failed
completed    in_progress  -         in_progress  completed  awaiting  failed
stopping     stopping     stopping  stopping     stopped    stopping  failed
stopped      in_progress  -         -            -          -         -
failed       in_progress  -         -            -          -         -
"""
COLUMNS = ("prompt", "stop", "thought", "response", "elicitation", "error")
EXPECTED = {
    (status, column): None if to == "-" else to
    for status, *row in (line.split() for line in TABLE.strip().splitlines())
    for column, to in zip(COLUMNS, row, strict=True)
}
# Which signals mean something on which activity; the others make it refused, whatever the status.
CARRIED = {
    "prompt": {"continue", "stop"},
    "thought": {"continue"},
    "action": {"continue"},
    "response": {"continue", "stop", "auth_request", "select"},
    "elicitation": {"continue", "auth_request", "select"},
    "error": {"continue"},
}
MINUTES = [timedelta(seconds=seconds) for seconds in (0, 9.9, 10, 60)]


@pytest.mark.parametrize(("status", "activity", "signal"), list(product(STATUSES, TYPES, SIGNALS)))
def test_every_status_activity_and_signal_moves_as_the_table_says(
    status: str, activity: str, signal: str
) -> None:
    is_asked_to_stop = (activity, signal) == ("prompt", "stop")
    column = "stop" if is_asked_to_stop else {"action": "thought"}.get(activity, activity)
    expected = EXPECTED[status, column] if signal in CARRIED[activity] else None
    assert next_status(status, activity, signal) == expected


def test_the_table_knows_every_status() -> None:
    assert {status for status, _ in EXPECTED} == set(STATUSES)


def test_only_who_is_expected_to_speak_falls_silent() -> None:
    timed_out = {status: status_after_timeout(status) for status in STATUSES}
    assert {status: to for status, to in timed_out.items() if to} == {
        "created": "stale",
        "in_progress": "stale",
        "stopping": "stopped",
    }


happenings = st.lists(
    st.one_of(st.tuples(st.sampled_from(TYPES), st.sampled_from(SIGNALS)), st.just(("silence", "")))
)


@given(happenings)
def test_no_order_of_events_breaks_a_run(events: list[tuple[str, str]]) -> None:
    status, was_stopped = "created", False
    for activity, signal in events:
        if activity == "silence":
            after = status_after_timeout(status) or status
        else:
            after = next_status(status, activity, signal) or status
        assert after in STATUSES
        assert after != "created" or status == "created", "nothing begins again"
        if status in FINAL and (activity, signal) != ("prompt", "continue"):
            assert after == status, "what is over stays over until a person reopens it"
        if was_stopped and status not in FINAL:
            assert after in ("stopping", "stopped", "failed"), "a stop isn't forgotten"
        was_stopped = after == "stopping" or (was_stopped and after != "in_progress")
        status = after


@given(happenings)
def test_whatever_happened_an_agent_that_may_speak_can_end_its_run(events: list[tuple[str, str]]) -> None:
    status = "created"
    for activity, signal in events:
        moved = (
            status_after_timeout(status) if activity == "silence" else next_status(status, activity, signal)
        )
        status = moved or status
    assert status in FINAL or next_status(status, "response", "continue") in ENDED


@pytest.mark.parametrize("waited", MINUTES)
def test_an_agent_is_unresponsive_ten_seconds_after_it_was_asked(waited: timedelta) -> None:
    asked = datetime(2026, 11, 24, tzinfo=UTC)
    late = waited >= timedelta(seconds=10)
    assert is_unresponsive("created", asked, None, asked + waited) is late
    assert is_unresponsive("in_progress", asked, asked - timedelta(hours=1), asked + waited) is late
    assert not is_unresponsive("in_progress", asked, asked + timedelta(seconds=1), asked + waited)
    assert not is_unresponsive("awaiting", asked, None, asked + waited), "now the person is to speak"
    assert not is_unresponsive("failed", asked, None, asked + waited)
