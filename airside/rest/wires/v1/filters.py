"""Which filters a list of v1 has: every shown field that is a column or computed with one, then the face's own."""

from collections.abc import Mapping

import msgspec

from airside.rest.column_kinds import kind_of
from airside.rest.face import Face, column_of
from airside.rest.parameters import Parameter

_DOCUMENTS = ("_html", "_stripped", "_binary")  # columns that nobody compares as a whole


def list_filters(face: Face) -> Mapping[str, Parameter]:
    fields = face.computed.items()
    computed = {name: one.filter for name, one in fields if one.filter and name not in face.filters}
    return {**_column_filters(face), **face.filters, **computed}


def _column_filters(face: Face) -> dict[str, Parameter]:
    found: dict[str, Parameter] = {}
    for info in msgspec.structs.fields(face.sortable or face.shown):
        name, columns = info.encode_name, face.table.c
        column = column_of(face, name)
        if column in columns and column != "deleted_at" and not column.endswith(_DOCUMENTS):
            kind = kind_of(columns[column].type, info.type)
            if kind is not None:
                found[name] = kind
    return found
