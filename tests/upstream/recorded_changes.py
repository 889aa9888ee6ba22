"""What each recorded change set off, compared with what it sets off in a stand-in: webhooks, feed, tables."""

from airside.gateway.contract.comparison import compare
from airside.gateway.contract.exchanges import Exchange, load_rows
from airside.gateway.contract.replay import Replay
from tests.support.receivers import Received, Receiver
from tests.support.upstream.server import Upstream
from tests.support.upstream.store import Row


class RecordedChanges:
    """Compares what each change set off: webhooks, rows of the feed, and rows of every table."""

    def __init__(self, upstream: Upstream, receiver: Receiver, replay: Replay) -> None:
        self.upstream = upstream
        self.receiver = receiver
        self.names = replay.names
        self.recorded = list(load_rows("changes"))
        self.differences: list[list[str]] = []
        self._rows = self._snapshot()

    async def after(self, exchange: Exchange) -> None:
        await self.upstream.site.worker.settle()
        before, self._rows = self._rows, self._snapshot()
        sent, self.receiver.received = list(self.receiver.received), []
        if exchange.step not in ("3c v1", "3c web"):
            return
        recorded = self.recorded[len(self.differences)]
        self.differences.append(
            compare(
                _expected_webhooks(recorded), self._webhooks(sent), self.names, "webhooks", unordered=True
            )
            + compare(self._expected_feed(recorded), self._feed(before), self.names, "feed")
            + compare(recorded["tables_after"], self._counted(before), self.names, "tables")
        )

    def _snapshot(self) -> dict[str, dict[str, Row]]:
        tables = self.upstream.site.store.tables
        return {name: {key: dict(row) for key, row in table.rows.items()} for name, table in tables.items()}

    def _webhooks(self, sent: list[Received]) -> list[Row]:
        return sorted((_webhook(one.body) for one in sent), key=lambda row: str(row["field"]))

    def _feed(self, before: dict[str, dict[str, Row]]) -> list[Row]:
        known = before.get("issue_activities", {})
        users = self.upstream.site.store.users.rows
        rows = [row for key, row in self._rows.get("issue_activities", {}).items() if key not in known]
        return sorted((_activity(row, users) for row in rows), key=_feed_order)

    def _expected_feed(self, recorded: Row) -> list[Row]:
        times = ("ms_after_answer", "created_at_skew_ms")
        rows = [
            {name: value for name, value in one.items() if name not in times}
            for one in recorded["activities"]
        ]
        cut = [row | {"new": _cut(row["new"]), "old": _cut(row["old"])} for row in rows]
        return sorted(cut, key=lambda row: _feed_order(row | {"issue": self.names.given.get(row["issue"])}))

    def _counted(self, before: dict[str, dict[str, Row]]) -> dict[str, dict[str, int]]:
        counts: dict[str, dict[str, int]] = {}
        for name in SEEN_TABLES:
            kinds = [
                _kind(before.get(name, {}).get(key), row) for key, row in self._rows.get(name, {}).items()
            ]
            found = {kind: kinds.count(kind) for kind in ("new", "changed", "deleted") if kind in kinds}
            if found:
                counts[name] = found
        return counts


SEEN_TABLES = sorted({name for change in load_rows("changes") for name in change["tables_after"]})


def _kind(before: Row | None, row: Row) -> str:
    if before is None:
        return "new"
    if row["deleted_at"] != before["deleted_at"]:
        return "deleted"
    return "changed" if row["updated_at"] != before["updated_at"] else "same"


def _expected_webhooks(recorded: Row) -> list[Row]:
    names = ("event", "action", "field", "old", "new", "data_keys", "data_id", "actor")
    rows = [{name: one[name] for name in names} for one in recorded["deliveries"]]
    return sorted(rows, key=lambda row: str(row["field"]))


def _webhook(body: Row) -> Row:
    activity = body["activity"]
    return {
        "event": body["event"],
        "action": body["action"],
        "field": activity["field"],
        "old": activity["old_value"],
        "new": activity["new_value"],
        "data_keys": len(body["data"]),
        "data_id": body["data"]["id"],
        "actor": activity["actor"]["display_name"],
    }


def _feed_order(row: Row) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("field", "comment", "old", "new", "issue"))


def _cut(text: str | None) -> str | None:
    """A text of more than 80 characters was recorded as its beginning, perhaps in the middle of an id."""
    return text.split(" entity_identifier")[0][:80] if text else text


def _activity(row: Row, users: dict[str, Row]) -> Row:
    return {
        "verb": row["verb"],
        "field": row["field"],
        "old": _cut(row["old_value"]),
        "new": _cut(row["new_value"]),
        "old_id": row["old_identifier"],
        "new_id": row["new_identifier"],
        "comment": row["comment"],
        "actor": users[row["actor"]]["display_name"],
        "issue": row["issue"],
        "issue_comment": row["issue_comment"],
    }
