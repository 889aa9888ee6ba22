"""How the drivers of published clients judge: by what came of an action, and by what the server answered."""

import pytest

from tests.client_suites.mcp_calls import Call, all_calls
from tests.client_suites.mcp_server import UNKNOWN, complain, fill
from tests.client_suites.verdicts import Outcome, Verdict, judge, outcome_of
from tests.sdk_suites.classes import Exchange, Served

LABELS = "/api/v1/workspaces/acme/labels/"
SERVED = Served([("GET", "/api/v1/workspaces/{workspace_slug}/labels/")])


def answered(status: int, path: str = LABELS) -> Exchange:
    return Exchange("label list", "GET", path, status)


@pytest.mark.parametrize(
    ("complaint", "exchange", "outcome"),
    [
        ("", answered(200), Outcome.OK),
        ("", answered(404, "/api/v1/workspaces/acme/releases/"), Outcome.OK),  # a client that does without it
        ("HTTP 404", answered(404, "/api/v1/workspaces/acme/releases/"), Outcome.NOT_SERVED),
        ("A label is missing", answered(404, "/api/v1/workspaces/acme/releases/"), Outcome.WRONG),
        ("HTTP 404", answered(404), Outcome.WRONG),
        ("", answered(500), Outcome.WRONG),
        ("", answered(200, "/api/v1/workspaces/acme/releases/"), Outcome.WRONG),
    ],
)
def test_an_action_is_judged_by_its_effect_and_its_answers(
    complaint: str, exchange: Exchange, outcome: Outcome
) -> None:
    assert judge("label list", complaint, [exchange], SERVED).outcome is outcome


def test_an_action_counts_as_the_worst_of_its_calls() -> None:
    verdicts = [Verdict("label list", one) for one in (Outcome.OK, Outcome.WRONG, Outcome.NOT_SERVED)]
    assert outcome_of("label list", verdicts) is Outcome.WRONG
    assert outcome_of("label create", verdicts) is Outcome.NOT_TRIED


def test_references_are_what_earlier_calls_kept() -> None:
    kept = {"item": {"id": "1"}, "points": [{"id": "2"}]}
    sent = {"a": "$item", "b": ['["$item"]'], "c": "$points.0.id", "d": "$lost", "e": 5}
    assert fill(sent, kept) == {"a": "1", "b": ['["1"]'], "c": "2", "d": UNKNOWN, "e": 5}


@pytest.mark.parametrize(
    ("call", "result", "refusal", "complaint"),
    [
        (Call("label", "list", {}, lists=("$label",)), [{"id": "7"}], "", ""),
        (Call("label", "list", {}, lists=("$label",)), [], "", "7 is missing in []"),
        (Call("label", "list", {}, lacks=("$label",)), ["7"], "", '7 is there in ["7"]'),
        (
            Call("label", "get", {}, shows={"name": "A"}),
            {"name": "B"},
            "",
            "name is 'B', not 'A' in {\"name\": \"B\"}",
        ),
        (Call("label", "get", {}), None, "HTTP 400", "Refused: HTTP 400"),
        (Call("label", "get", {}, refused="locked"), None, "HTTP 400: locked", ""),
        (Call("label", "get", {}, refused="locked"), None, "HTTP 404", "Refused: HTTP 404"),
        (Call("label", "get", {}, refused="locked"), {"id": "7"}, "", "Refused: no"),
    ],
)
def test_a_result_has_to_be_what_the_call_says(
    call: Call, result: object, refusal: str, complaint: str
) -> None:
    assert complain(call, {"label": {"id": "7"}}, result, refusal) == complaint


def test_every_reference_is_to_what_an_earlier_call_keeps() -> None:
    kept: dict[str, object] = {"ana": {"id": "1"}, "ben": {"id": "1"}, "file_url": {"id": "1"}}
    for call in all_calls():
        used = fill({"a": call.arguments, "l": list(call.lists), "n": list(call.lacks)}, kept)
        assert UNKNOWN not in str(used), (call, used)
        if call.keeps:
            kept[call.keeps] = Anything()


class Anything(dict[str, object]):
    """Has whatever is looked up in it."""

    def __missing__(self, key: object) -> object:
        return Anything()
