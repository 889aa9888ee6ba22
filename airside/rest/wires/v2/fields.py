"""`fields` and `expand` of v2: unknown names are refused, with the one that was probably meant."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches

from airside.errors import Invalid
from airside.rest.face import Face
from airside.rest.shaping import shown_names
from airside.rest.wire import Shape

ALL = "all"
MAX_NAMES = 100  # more than any record has
MAX_COMPARED = 64  # characters of a name that are compared with the right ones


def read_shape(face: Face, query: Mapping[str, str]) -> Shape:
    """Of one record. Raises Invalid."""
    names = shown_names(face.shown)
    fields = _read_names(query, "fields", (*names, ALL))
    is_all = not fields or ALL in fields
    return Shape(None if is_all else ("id", *fields), _read_names(query, "expand", tuple(face.expands)))


def read_list_shape(face: Face, query: Mapping[str, str]) -> Shape:
    """Of a list, which has deferred fields only where they are named, or all are. Raises Invalid."""
    shape = read_shape(face, query)
    if shape.fields is not None or query.get("fields", "").strip() or not face.deferred:
        return shape
    return shape._replace(fields=tuple(one for one in shown_names(face.shown) if one not in face.deferred))


def name_closest(name: str, valid: Collection[str]) -> str:
    """What to say about an unknown name."""
    close = get_close_matches(name[:MAX_COMPARED], valid, n=1)
    meant = f' Did you mean "{close[0]}"?' if close else ""
    choices = f" Valid choices are: {', '.join(sorted(valid))}." if valid else " There are none here."
    return f'"{name[:MAX_COMPARED]}" is not a valid choice.{meant}{choices}'


def _read_names(query: Mapping[str, str], parameter: str, valid: Collection[str]) -> list[str]:
    """Only the first unknown name is reported: comparing hundreds would take long."""
    names = [name.strip() for name in query.get(parameter, "").split(",", MAX_NAMES)][:MAX_NAMES]
    names = [name for name in names if name]
    for name in names:
        if name not in valid:
            raise Invalid({parameter: [name_closest(name, valid)]}, {parameter: "invalid_choice"})
    return names
