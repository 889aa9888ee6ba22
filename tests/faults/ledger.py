"""What was written and what was received, and whether the two agree when all is over.

Every write carries a mark of its own, so that it is recognised in the database and at every listener without
asking Airside which event it became.
"""

import asyncio
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiohttp import web

from airside.db.base import Row
from airside.events.catalog import PING, list_kinds
from tests.support.receivers import Receiver

ITEM_MADE, ITEM_CHANGED, ITEM_DELETED = "workitem.created", "workitem.updated", "workitem.deleted"
COMMENT_MADE = "workitem.comment.created"
_MARKS = {ITEM_MADE: r"item-\d+-\d+", ITEM_CHANGED: r"item-\d+-\d+", COMMENT_MADE: r"said-\d+-\d+"}
_NAMES = {
    (kind.v1_event, kind.v1_action): name for name, kind in list_kinds().items() if ".archived" not in name
}
DEAD = "dead"


class Mark(NamedTuple):
    """One write: the event that it becomes, and its unique text, or the id of what was deleted."""

    event: str
    text: str


@dataclass
class Writes:
    """The clients' requests by their responses."""

    acknowledged: set[Mark] = field(default_factory=set)
    unanswered: set[Mark] = field(default_factory=set)


class Post(NamedTuple):
    listener: str
    message_id: str
    mark: Mark
    part: str  # v1's changed field
    is_answered: bool  # with 200


@dataclass(frozen=True)
class Listener:
    """A webhook, and which events it must receive: computed again here, by other means than Airside's."""

    name: str
    version: str
    wants: Callable[[Row], bool]
    fields: dict[str, Any] = field(default_factory=dict)


def _always(_: Row) -> bool:
    return True


LISTENERS = [
    Listener("everything", "v2", _always),
    Listener("by_field", "v1", _always),
    Listener("created", "v2", lambda event: event["name"] == ITEM_MADE, {"event_names": [ITEM_MADE]}),
    Listener(
        "urgent",
        "v2",
        lambda event: "comment" in event["name"] or event["data"].get("priority") == "urgent",
        {"filter_pql": 'priority = "urgent"'},
    ),
    Listener("flaky", "v2", _always),
    Listener(DEAD, "v2", lambda event: event["name"] == ITEM_DELETED, {"event_names": [ITEM_DELETED]}),
]
APP = Listener("app", "v2", _always)  # of the installed app


class Ears(Receiver):
    """All listeners in one server: some hesitate, one fails until stopped, one is dead."""

    def __init__(self, random: random.Random) -> None:
        super().__init__()
        self.posts: list[Post] = []
        self.is_stumbling = True
        self._random = random

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        listener = request.path.rsplit("/", 1)[-1]
        await asyncio.sleep(self._random.random() * 0.03)
        is_well = listener != DEAD and not self._stumbles(listener)
        mark, part = read_mark(listener, json.loads(raw))
        self.posts.append(Post(listener, request.headers["webhook-id"], mark, part, is_well))
        if is_well:
            return web.Response()
        if self._random.random() < 0.5 and request.transport is not None:
            request.transport.close()
        return web.Response(status=503)

    def _stumbles(self, listener: str) -> bool:
        return self.is_stumbling and listener == "flaky" and self._random.random() < 0.3


def read_mark(listener: str, body: dict[str, Any]) -> tuple[Mark, str]:
    """Of a payload of either version."""
    if body.get("version") == "v2":
        return mark_of(body["event"], body["entity_id"], body["data"]), ""
    name = _NAMES[body["event"], body["action"]]
    return mark_of(name, body["data"]["id"], body["data"]), str(body["activity"]["field"])


def mark_of(name: str, entity_id: str, data: Any) -> Mark:
    found = re.search(_MARKS[name], json.dumps(data)) if name in _MARKS else None
    return Mark(name, found[0] if found else entity_id)


@dataclass
class Verdict:
    """What must be nothing but `duplicates` is a list of sentences."""

    events: int = 0
    expected: int = 0  # each event for each listener that it concerns, v1's parts one by one
    delivered: int = 0
    dead_lettered: int = 0
    duplicates: int = 0
    committed_unanswered: int = 0
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def judge(writes: Writes, posts: Iterable[Post], events: list[Row], deliveries: list[Row]) -> Verdict:
    """`events` are all of the database, `deliveries` rows of it with the listener's name as `listener`."""
    posts = list(posts)
    verdict = Verdict()
    marks = {event["id"]: mark_of(event["name"], event["entity_id"], event["data"]) for event in events}
    _judge_writes(verdict, writes, Counter(marks.values()))
    _judge_deliveries(
        verdict, [event for event in events if event["name"] in {*_MARKS, ITEM_DELETED}], posts, deliveries
    )
    _judge_posts(verdict, posts, marks)
    return verdict


def _judge_writes(verdict: Verdict, writes: Writes, committed: Counter[Mark]) -> None:
    """What was acknowledged is there; what was answered twice is not one write."""
    for mark in writes.acknowledged:
        if committed[mark] != 1:
            verdict.lost.append(f"acknowledged, and {committed[mark]} events in the database: {mark}")
    for mark in writes.unanswered:
        verdict.committed_unanswered += committed[mark] > 0
        if committed[mark] > 1:
            verdict.wrong.append(f"asked for once, and {committed[mark]} events in the database: {mark}")


def _judge_deliveries(verdict: Verdict, events: list[Row], posts: list[Post], deliveries: list[Row]) -> None:
    statuses = {(row["listener"], row["event_id"], row["part"]): row["status"] for row in deliveries}
    answered = {(post.listener, post.message_id) for post in posts if post.is_answered}
    for event in events:
        verdict.events += 1
        for listener in (*LISTENERS, APP):
            if not listener.wants(event):
                continue
            for part in range(_count_parts(listener, event)):
                verdict.expected += 1
                message_id = f"{event['id']}-{part}" if part else event["id"]
                status = statuses.get((listener.name, event["id"], part))
                if status == "delivered" and (listener.name, message_id) in answered:
                    verdict.delivered += 1
                elif status == "failed" and listener.name == DEAD:
                    verdict.dead_lettered += 1
                else:
                    verdict.lost.append(
                        f"{listener.name} didn't receive {message_id}: {status}, {event['name']}"
                    )


def _count_parts(listener: Listener, event: Row) -> int:
    return max(1, len(event["changes"])) if listener.version == "v1" and event["name"] == ITEM_CHANGED else 1


def _judge_posts(verdict: Verdict, posts: list[Post], marks: dict[str, Mark]) -> None:
    """Nothing was delivered that didn't happen, and every repeat bears the id of the first."""
    names: dict[tuple[str, Mark, str], set[str]] = defaultdict(set)
    answered: Counter[tuple[str, str]] = Counter()
    for post in posts:
        event_id = post.message_id[:36]
        if post.mark.event == PING:
            continue
        if marks.get(event_id) != post.mark:
            verdict.wrong.append(f"delivered, but not in the database: {post}")
        names[post.listener, post.mark, post.part].add(post.message_id)
        answered[post.listener, post.message_id] += post.is_answered
    verdict.duplicates = sum(count - 1 for count in answered.values() if count > 1)
    verdict.wrong += [
        f"delivered under several ids: {delivered_as} {ids}"
        for delivered_as, ids in names.items()
        if len(ids) > 1
    ]
