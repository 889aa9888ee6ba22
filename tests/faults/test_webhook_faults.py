"""The fault run of webhooks at a small size; `make faults-webhooks` runs it at full size."""

from pathlib import Path

import pytest

from airside.db.base import Row
from tests.faults.ledger import APP, ITEM_MADE, LISTENERS, Mark, Post, Writes, judge
from tests.faults.webhooks import KINDS, run_all


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", KINDS)
async def test_whichever_process_is_killed_nothing_acknowledged_is_lost_and_every_endpoint_receives_it(
    kind: str, tmp_path: Path
) -> None:
    findings = await run_all(kind, tmp_path, kills=2, seed=4, hurry=True)
    assert findings.faults == []
    assert findings.kills.total() >= 2
    assert findings.acknowledged > 0
    verdict = findings.verdict
    assert verdict.delivered + verdict.dead_lettered == verdict.expected > findings.acknowledged


MADE = Mark(ITEM_MADE, "item-1-1")
EVENT: Row = {
    "id": "0" * 36, "name": ITEM_MADE, "entity_id": "e", "data": {"name": MADE.text}, "changes": [],
}  # fmt: skip
RECEIVERS = [listener.name for listener in (*LISTENERS, APP) if listener.wants(EVENT)]
POSTS = [Post(name, EVENT["id"], MADE, "", is_answered=True) for name in RECEIVERS]
ROWS: list[Row] = [
    {"listener": name, "event_id": EVENT["id"], "part": 0, "status": "delivered"} for name in RECEIVERS
]


def test_the_ledger_finds_what_is_lost_or_wrong() -> None:
    """Or the fault run would pass whatever happened."""
    writes = Writes(acknowledged={MADE})
    good = judge(writes, POSTS, [EVENT], ROWS)
    assert (good.lost, good.wrong, good.delivered, good.expected) == ([], [], len(RECEIVERS), len(RECEIVERS))
    assert len(judge(writes, POSTS, [], []).lost) == 1, "acknowledged, and not in the database"
    assert len(judge(writes, POSTS, [], []).wrong) == len(RECEIVERS), "an event of a missing record"
    assert len(judge(writes, POSTS[1:], [EVENT], ROWS).lost) == 1, "says it is delivered, and nobody got it"
    assert len(judge(writes, POSTS, [EVENT], ROWS[1:]).lost) == 1, "was never fanned out"
    failed = [{**row, "status": "failed"} for row in ROWS]
    assert len(judge(writes, POSTS, [EVENT], failed).lost) == len(RECEIVERS), (
        "given up although somebody listens"
    )
    again = POSTS[0]._replace(message_id="1" * 36)
    assert len(judge(writes, [*POSTS, again], [EVENT], ROWS).wrong) == 2, "an id of its own, and unknown"
    assert judge(writes, [*POSTS, POSTS[0]], [EVENT], ROWS).duplicates == 1
    twice = [EVENT, {**EVENT, "id": "2" * 36}]
    assert len(judge(Writes(unanswered={MADE}), POSTS, twice, ROWS).wrong) == 1, "written twice"
