"""Shared by all tables: the metadata, column types with the same Python values on both databases, and ids.

In Python an id is a lower-case UUID string, a time an aware UTC datetime, and JSON plain data, whatever the
database stores. Separate from the statements, so that `tables.py` files import only this.
"""

import os
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypedDict, cast

import msgspec
from sqlalchemy import Column, Dialect, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import UserDefinedType

Row = dict[str, Any]  # any row; code that reads columns by name takes the TypedDict of a table or statement
if TYPE_CHECKING:
    from typing_extensions import TypeVar  # typing's has no default before Python 3.13

    R = TypeVar("R", default=Row)
else:
    from typing import TypeVar

    R = TypeVar("R")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


class TableOf(Table, Generic[R]):
    """A table whose rows have the type R, a TypedDict: a misspelt column of a row is then a type error."""

    inherit_cache = True


class Processor(Protocol):
    """Converts one value to or from the driver's type."""

    def __call__(self, value: Any) -> Any: ...


_encode = msgspec.json.Encoder().encode
# Both are written in C and called by position only, which a protocol can't say.
_decode = cast(Processor, msgspec.json.Decoder().decode)
_parse_instant = cast(Processor, datetime.fromisoformat)


_latest_tick = 0  # of this process, in 1/4096 ms since the epoch


def new_id() -> str:
    """A UUIDv7 (RFC 9562 §5.7): time-ordered, so that new rows are adjacent in indexes.

    Within a process every id is greater than the one before, so that ordering by id is ordering by creation:
    `rand_a` holds the fraction of the millisecond (§6.2, method 3), incremented when the clock doesn't advance.
    60 bits are random.
    """
    global _latest_tick
    tick = time.time_ns() * 64 // 15_625
    if tick <= _latest_tick:
        tick = _latest_tick + 1
    _latest_tick = tick
    text = f"{tick:015x}{os.urandom(8).hex()}"
    return f"{text[:8]}-{text[8:12]}-7{text[12:15]}-8{text[16:19]}-{text[19:]}"


def first_id_at(time: datetime) -> str:
    """A lower bound of the ids created at or after this time."""
    tick = max(int(time.timestamp() * 1000), 0)
    return f"{tick:012x}"[:8] + f"-{tick & 0xFFFF:04x}-7000-8000-000000000000"


_is_uuid = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE
).fullmatch


def is_uuid(text: str) -> bool:
    """Whether the text is a hyphenated UUID."""
    return _is_uuid(text) is not None


class Id(UserDefinedType[str]):
    """A UUID; `uuid` on PostgreSQL, text on SQLite, always a string in Python."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "UUID"


class Instant(UserDefinedType[datetime]):
    """A moment in UTC with microseconds; fixed-width text on SQLite, so that it sorts."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "TIMESTAMP WITH TIME ZONE"

    def bind_processor(self, dialect: Dialect) -> Processor | None:
        return _instant_text if dialect.name == "sqlite" else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor | None:
        return _parse_instant if dialect.name == "sqlite" else None


class Json(UserDefinedType[Any]):
    """Plain data as JSON; `jsonb` on PostgreSQL, text on SQLite."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "JSONB"

    def bind_processor(self, dialect: Dialect) -> Processor | None:
        return _json_text

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor | None:
        return _decode


class IdList(UserDefinedType[list[str]]):
    """Any number of ids as ONE parameter, so that a statement's text doesn't depend on their number."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "UUID[]"

    def bind_processor(self, dialect: Dialect) -> Processor | None:
        return _json_text if dialect.name == "sqlite" else None


class TextList(IdList):
    """Any number of strings as one parameter."""

    def get_col_spec(self, **_: Any) -> str:
        return "TEXT[]"


@compiles(Id, "sqlite")
@compiles(Instant, "sqlite")
@compiles(Json, "sqlite")
@compiles(IdList, "sqlite")
@compiles(TextList, "sqlite")
def _as_text(element: Any, compiler: Any, **_: Any) -> str:
    return "TEXT"


def _instant_text(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def _json_text(value: Any) -> str | None:
    return None if value is None else _encode(value).decode()


def tenant_key() -> list[Any]:
    """`workspace_id` and `id`, with the primary key on both: a workspace's rows are adjacent."""
    return [
        Column("workspace_id", Id, nullable=False),
        Column("id", Id, nullable=False),
        PrimaryKeyConstraint("workspace_id", "id"),
    ]


def stamps() -> list[Column[Any]]:
    """When and by whom a row was created and last updated, and when it was soft-deleted."""
    return [
        Column("created_at", Instant, nullable=False),
        Column("updated_at", Instant, nullable=False),
        Column("deleted_at", Instant),
        Column("created_by_id", Id),
        Column("updated_by_id", Id),
    ]


class TenantKey(TypedDict):
    """The columns of `tenant_key()` in a row's type."""

    workspace_id: str
    id: str


class Stamps(TypedDict):
    """The columns of `stamps()` in a row's type."""

    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    created_by_id: str | None
    updated_by_id: str | None
