"""The operations of the intake: file a work item, change what was filed, decide on it, take it back."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from airside.db.base import Row
from airside.errors import Forbidden, Invalid, NotFound
from airside.rest.body import check_body, with_defaults
from airside.rest.call import Call
from airside.rest.computed import compute
from airside.rest.face import to_columns, wire_names
from airside.rest.gate import record_updated
from airside.rest.record import MEMBER
from airside.rest.references import check_references, unknown_ids
from airside.rest.route import Route
from airside.rest.routes import verb_route
from airside.rest.verbs import in_transaction, remove_record, show_record, store_changes, store_record
from airside.work.intake.bodies import IntakeChange, IntakeIn, IssueIn
from airside.work.intake.decisions import record_decision
from airside.work.intake.items import ACCEPTED, INTAKE_V1, PENDING, find_intake_item
from airside.work.intake.waiting import change_waiting, delete_waiting, store_waiting
from airside.work.ownership import check_owner
from airside.work.work_items.work_items import WORK_ITEMS


async def create_intake_item(call: Call) -> Row:
    """File a work item. Raises Invalid, also for one that would be decided on already."""
    sent = with_defaults(IntakeIn, call.body)
    _check_new(call, sent)
    issue = await _prepare_issue(call, sent["issue"], partial=False)
    row = {name: sent[name] for name in ("source", "source_email", "status", "snoozed_till")}
    row["duplicate_to_id"] = None
    return await in_transaction(call, lambda: _create(call, row, issue))


async def _create(call: Call, sent: Row, issue: Row) -> Row:
    sent["issue_id"] = await store_waiting(call, issue)
    return await show_record(call, INTAKE_V1, await store_record(INTAKE_V1, call, sent))


async def retrieve_intake_item(call: Call) -> Row:
    return await show_record(call, INTAKE_V1, await _get(call))


async def update_intake_item(call: Call) -> Row:
    """Change the work item that was filed, or decide on it. Raises Invalid, Forbidden for a guest's decision, and
    NotFound for what a guest doesn't see."""
    sent = dict(call.body)
    given: Any = sent.pop("issue", None)
    issue = {} if given is None or isinstance(given, str) else await _prepare_issue(call, given, partial=True)
    columns = to_columns(INTAKE_V1, sent)
    with wire_names(INTAKE_V1):
        return await in_transaction(call, lambda: _update(call, columns, given, issue))


async def _update(call: Call, sent: Row, given: Any, issue: Row) -> Row:
    before = await _get(call, lock=True)
    if isinstance(given, str) and given != before["issue_id"]:
        raise Invalid({"issue": unknown_ids(given, [given])})
    await compute(INTAKE_V1.record.computed, call, [before])
    after = await _store(call, before, dict(sent))
    named = {*sent}
    if issue and await _change_issue(call, before, issue):
        named.add("issue_detail")
    await record_decision(call, before, after)
    await record_updated(call, INTAKE_V1, before, after, named)
    return await show_record(call, INTAKE_V1, after)


async def _store(call: Call, before: Row, changes: Row) -> Row:
    await check_references(INTAKE_V1, call, changes, before)
    await INTAKE_V1.record.before_update(call, before, changes)
    return await store_changes(INTAKE_V1, call, dict(before), changes)


async def _change_issue(call: Call, row: Row, issue: Row) -> bool:
    """Raises Forbidden for a guest who didn't file it, or whose work item is accepted already."""
    is_own = row["created_by_id"] == call.caller.user_id and row["status"] != ACCEPTED
    if call.project_role < MEMBER and not is_own:
        raise Forbidden
    with _issue_errors():
        return await change_waiting(call, row["issue_id"], issue)


async def delete_intake_item(call: Call) -> None:
    """Delete it with its work item, which stays if it was accepted. Raises Forbidden for others than admins and who
    filed it."""
    await in_transaction(call, lambda: _delete(call))


async def _delete(call: Call) -> None:
    row = await _get(call, lock=True)
    check_owner(call, row, "work item")
    await remove_record(INTAKE_V1, call, row)
    if row["status"] != ACCEPTED:
        await delete_waiting(call, row["issue_id"])


async def _get(call: Call, *, lock: bool = False) -> Row:
    row = await find_intake_item(call, call.path[INTAKE_V1.key], lock=lock)
    if row is None:
        raise NotFound
    return row


def _check_new(call: Call, sent: Row) -> None:
    """Raises Invalid for a decision before there is anything to decide on, and for another intake."""
    errors: dict[str, Any] = {}
    if sent["intake"] not in (None, call.project_id):
        errors["intake"] = unknown_ids(sent["intake"], [sent["intake"]])
    if sent["status"] != PENDING:
        errors["status"] = ["A new intake work item is pending."]
    for name in ("snoozed_till", "duplicate_to"):
        if sent[name] is not None:
            errors[name] = ["A new intake work item is pending."]
    if errors:
        raise Invalid(errors)


async def _prepare_issue(call: Call, given: Row, *, partial: bool) -> Row:
    """The fields of the work item. Raises Invalid below `issue`."""
    with _issue_errors():
        issue = check_body(IssueIn, given, partial=partial)
        issue = issue if partial else with_defaults(IssueIn, issue)
        await WORK_ITEMS.prepare(call, issue)
    return issue


@contextmanager
def _issue_errors() -> Generator[None]:
    try:
        yield
    except Invalid as error:
        raise Invalid({"issue": error.fields}) from error


_CREATE = replace(verb_route(INTAKE_V1, "create"), handler=create_intake_item)
_RETRIEVE = replace(verb_route(INTAKE_V1, "retrieve"), handler=retrieve_intake_item)
_UPDATE = replace(verb_route(INTAKE_V1, "update"), handler=update_intake_item, body=IntakeChange)
_DELETE = replace(verb_route(INTAKE_V1, "delete"), handler=delete_intake_item)

INTAKE_ROUTES: list[Route] = [
    _CREATE,
    _RETRIEVE,
    _UPDATE,
    _DELETE,
    replace(
        _UPDATE,
        path=f"{_UPDATE.path}/status",
        aliases=(),
        name="decide_on_intake_work_item",
        summary="Accept, reject, snooze or file as a duplicate what waits in the intake",
    ),
]
