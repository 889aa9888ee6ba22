"""Ids that integrations give to records: unique in a project, and a way to find one record in a list."""

from tests.support.upstream.store import Row
from tests.support.upstream.wire import Call, Refusal, missing


def refuse_external(rows: list[Row], values: Row, kind: str, own: Row | None = None) -> None:
    """409 where another has these external ids; on a change it names the changed row itself."""
    row_id, source = values.get("external_id"), values.get("external_source")
    for row in rows:
        if row_id and row["external_id"] == row_id and row["external_source"] == source and row is not own:
            message = f"{kind} with the same external id and external source already exists"
            raise Refusal(409, {"error": message, "id": (own or row)["id"]})


def find_external(call: Call, rows: list[Row]) -> Row | None:
    """The record that the query names, or None where it names none. Raises Refusal 404."""
    row_id, source = call.query.get("external_id"), call.query.get("external_source")
    if not (row_id and source):
        return None
    for row in rows:
        if row["external_id"] == row_id and row["external_source"] == source:
            return row
    raise missing()
