"""What became of a client's actions, by what they were answered and what had to come of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.sdk_suites.classes import NO_SUCH, Exchange, Served


class Outcome(StrEnum):
    OK = "ok"
    NOT_SERVED = "not served"
    WRONG = "wrong"
    NOT_TRIED = "not tried"


@dataclass(frozen=True)
class Verdict:
    """`action` is a tool's action or a command; `complaint` is what is wrong with what came of it."""

    action: str
    outcome: Outcome
    complaint: str = ""
    cause: Exchange | None = None


def judge(action: str, complaint: str, exchanges: Sequence[Exchange], served: Served) -> Verdict:
    """`complaint` is empty if the action did what it should."""
    unserved = None
    for one in exchanges:
        taken = served.takes(one.method, one.path)
        if one.status >= 500 or (not taken and one.status not in (404, 405)):
            return Verdict(action, Outcome.WRONG, complaint or "Such an answer is always wrong", one)
        unserved = unserved or (None if taken else one)
    if not complaint:
        return Verdict(action, Outcome.OK)
    if unserved and NO_SUCH.search(complaint):
        return Verdict(action, Outcome.NOT_SERVED, complaint, unserved)
    return Verdict(action, Outcome.WRONG, complaint, exchanges[-1] if exchanges else None)


WORST = (Outcome.WRONG, Outcome.NOT_SERVED, Outcome.OK)


def outcome_of(action: str, verdicts: Sequence[Verdict]) -> Outcome:
    """The worst of what became of the action's calls."""
    found = {one.outcome for one in verdicts if one.action == action}
    return next((outcome for outcome in WORST if outcome in found), Outcome.NOT_TRIED)


def print_table(actions: Sequence[str], verdicts: Sequence[Verdict]) -> Counter[Outcome]:
    """A line for each group of actions (what stands before the first space), and what became of all of them."""
    outcomes = {action: outcome_of(action, verdicts) for action in actions}
    groups = dict.fromkeys(action.split(" ", 1)[0] for action in actions)
    print(f"  {'':24}" + "".join(f"{outcome:>12}" for outcome in Outcome))
    for group in groups:
        counts = Counter(outcome for action, outcome in outcomes.items() if action.split(" ", 1)[0] == group)
        print(f"  {group:24}" + "".join(f"{counts[outcome] or '':>12}" for outcome in Outcome))
    total = Counter(outcomes.values())
    print(f"  {'all':24}" + "".join(f"{total[outcome]:>12}" for outcome in Outcome))
    return total


def describe(verdict: Verdict) -> str:
    said = f"{verdict.outcome.upper()} {verdict.action}"
    if verdict.complaint:
        said += f"\n      {verdict.complaint[:600]}"
    if verdict.cause:
        said += f"\n      {verdict.cause.operation} -> {verdict.cause.status} {verdict.cause.answer[:300]}"
    return said
