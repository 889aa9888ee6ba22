"""Records that a URL names by an identifier, such as `ENG` or `ENG-12`, in place of their id.

The record declares how it is found by one: `Record.identify`, for a parent in the URL `Parent.identify`; a project
by `Access.identify_project`. A face's paths take identifiers with `Face.identifiers = True` (v2), also for parents;
all others take ids only (v1). The guard replaces each by its id, so that verbs and rules see ids alone:

    ITEMS_V2 = Face(WORK_ITEMS, path="projects/{project_id}/work-items", key="work_item_id", identifiers=True, …)
    GET …/projects/ENG/work-items/ENG-12/  →  call.path == {"project_id": <id>, "work_item_id": <id>, …}

A plain Route takes them with `identifiers=identifiers_of(face)`.
"""

from collections.abc import Mapping

from airside.db.base import is_uuid
from airside.errors import NotFound
from airside.rest.call import Call
from airside.rest.face import Face
from airside.rest.record import Identify
from airside.rest.route import Route

PROJECT = "project_id"
MAX_LENGTH = 64  # characters; longer than any identifier


def identifiers_of(face: Face) -> Mapping[str, Identify]:
    """Parameter of the face's paths → what finds a record by its identifier; none unless the face takes them."""
    if not face.identifiers:
        return {}
    found: dict[str, Identify] = {PROJECT: _identify_project} if face.is_in_project else {}
    found |= {parent.parameter: parent.identify for parent in face.record.parents if parent.identify}
    return {**found, face.key: face.record.identify}


async def replace_identifier(call: Call, route: Route, parameter: str) -> None:
    """Put the record's id into the path, where an identifier stands there. Raises NotFound as for unknown ids."""
    text = call.path.get(parameter)
    if text is None or parameter not in route.identifiers or is_uuid(text):
        return
    is_sane = text.isprintable() and len(text) <= MAX_LENGTH
    found = await route.identifiers[parameter](call, text) if is_sane else None
    if found is None:
        raise NotFound
    call.path[parameter] = found


async def _identify_project(call: Call, text: str) -> str | None:
    return await call.access.identify_project(call, text)
