"""The rows of plane-sdk by its method. A family has a file in python/; a record of the usual five methods is one
call of `records`, anything else a function under `@row`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from typing import Any

import pytest
from plane.errors import HttpError
from pydantic import BaseModel

from tests.sdk_rows.place import SLUG, Place

Row = Callable[[Place], None]
Sent = BaseModel | Mapping[str, Any]

ROWS: dict[str, Row] = {}
REFUSED: set[str] = set()  # methods which are always refused, so that their rows expect that


def row(method: str, *, is_refused: bool = False) -> Callable[[Row], Row]:
    """The function is the row of this method: `states.create`."""

    def keep(function: Row) -> Row:
        assert method not in ROWS, f"two rows for {method}"
        ROWS[method] = function
        if is_refused:
            REFUSED.add(method)
        return function

    return keep


def _nothing(_: Place) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Records:
    """How records are made and changed by the methods of `api`."""

    api: str
    make: Callable[[Place], Sent]
    change: Callable[[Place], Sent] | None = None
    at: Callable[[Place], tuple[str, ...]] = _nothing  # ids of the parents, below the workspace
    names: Mapping[str, str] = field(default_factory=dict[str, str])  # verb → method, where it differs
    unread: tuple[str, ...] = ()  # fields that are sent and no answer has
    unlisted: tuple[str, ...] = ()  # fields that a list lacks

    def method(self, verb: str) -> str:
        return f"{self.api}.{self.names.get(verb, verb)}"

    def call(self, place: Place, verb: str, *given: Any) -> Any:
        return attrgetter(self.method(verb))(place.client)(SLUG, *given)

    def create(self, place: Place, parents: tuple[str, ...]) -> tuple[Any, dict[str, Any]]:
        """A new record, and what was sent for it."""
        sent = self.make(place)
        return self.call(place, "create", *parents, sent), fields_of(sent)

    def read(self, place: Place, parents: tuple[str, ...], record_id: str) -> Any:
        """The record, from the list if it can't be had alone."""
        if self.method("retrieve") in ROWS:
            return self.call(place, "retrieve", *parents, record_id)
        return next(one for one in self.list(place, parents) if one.id == record_id)

    def list(self, place: Place, parents: tuple[str, ...]) -> list[Any]:
        listed = self.call(place, "list", *parents)
        return listed if isinstance(listed, list) else listed.results

    def check(self, record: Any, sent: Mapping[str, Any]) -> None:
        """The record has the values that were sent."""
        shown = record.model_dump(mode="json")
        wanted = {name: value for name, value in sent.items() if name not in self.unread}
        assert {name: shown.get(name) for name in wanted} == wanted


def records(
    api: str,
    make: Callable[[Place], Sent],
    change: Callable[[Place], Sent] | None = None,
    verbs: Iterable[str] = ("create", "retrieve", "list", "update", "delete"),
    **more: Any,
) -> Records:
    """A row for each of the methods; further ones may use the result."""
    made = Records(api=api, make=make, change=change, **more)
    for verb in verbs:
        row(made.method(verb))(partial(CHECKS[verb], made))
    return made


def fields_of(sent: Sent) -> dict[str, Any]:
    if isinstance(sent, BaseModel):
        return sent.model_dump(mode="json", exclude_none=True)
    return dict(sent)


def _check_create(kind: Records, place: Place) -> None:
    parents = kind.at(place)
    made, sent = kind.create(place, parents)
    kind.check(made, sent)
    kind.check(kind.read(place, parents, made.id), sent)


def _check_retrieve(kind: Records, place: Place) -> None:
    parents = kind.at(place)
    made, sent = kind.create(place, parents)
    other, _ = kind.create(place, parents)
    read = kind.call(place, "retrieve", *parents, made.id)
    assert read.id == made.id != other.id
    kind.check(read, sent)


def _check_list(kind: Records, place: Place) -> None:
    parents = kind.at(place)
    made = [kind.create(place, parents) for _ in range(2)]
    listed = {one.id: one for one in kind.list(place, parents)}
    for one, sent in made:
        kind.check(listed[one.id], {name: sent[name] for name in sent.keys() - kind.unlisted})


def _check_update(kind: Records, place: Place) -> None:
    assert kind.change is not None
    parents = kind.at(place)
    made, sent = kind.create(place, parents)
    data = kind.change(place)
    kind.call(place, "update", *parents, made.id, data)
    kind.check(kind.read(place, parents, made.id), sent | fields_of(data))


def _check_delete(kind: Records, place: Place) -> None:
    parents = kind.at(place)
    (made, _), (left, _) = kind.create(place, parents), kind.create(place, parents)
    kind.call(place, "delete", *parents, made.id)
    ids = [one.id for one in kind.list(place, parents)]
    assert made.id not in ids
    assert left.id in ids
    if kind.method("retrieve") in ROWS:
        with pytest.raises(HttpError) as gone:
            kind.call(place, "retrieve", *parents, made.id)
        assert gone.value.status_code == 404


CHECKS = {
    "create": _check_create,
    "retrieve": _check_retrieve,
    "list": _check_list,
    "update": _check_update,
    "delete": _check_delete,
}
