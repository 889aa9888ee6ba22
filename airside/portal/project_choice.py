"""The project picker in forms: an app may access all projects, or the ticked ones."""

from collections.abc import Sequence
from typing import Any

from airside.errors import Invalid
from airside.host.chosen import host_of
from airside.portal.forms import Form
from airside.runtime.site import Site

FIELD, LIMITED = "projects", "only_selected"  # one checkbox per project, and one to limit


async def read_projects(
    site: Site, workspace_id: str, form: Form, viewer_id: str, chosen: Sequence[str] | None = None
) -> list[str] | None:
    """The ticked ids; None for all. Those of `chosen`, the present choice, that the viewer doesn't see stay in it.

    Raises Invalid for a project of another workspace."""
    if not form.has(LIMITED):
        return None
    listed = await host_of(site).list_projects(site, workspace_id, viewer_id=viewer_id)
    known = {project.id for project in listed}
    ticked = form.texts(FIELD)
    if not known.issuperset(ticked):
        raise Invalid({FIELD: ["One of these is no project of this workspace."]})
    kept = await _find_hidden(site, workspace_id, set(chosen or ()) - known)
    if not ticked and not kept:
        raise Invalid({FIELD: ["Choose at least one project, or all."]})
    return [*ticked, *kept]


async def _find_hidden(site: Site, workspace_id: str, ids: set[str]) -> list[str]:
    """Those that are projects still, whoever sees them."""
    if not ids:
        return []
    return [one.id for one in await host_of(site).list_projects(site, workspace_id) if one.id in ids]


async def show_choice_of_projects(
    site: Site, workspace_id: str, viewer_id: str, project_ids: list[str] | None, form: Form | None = None
) -> dict[str, Any]:
    """As the macro `project_picker` takes it: the submitted choice, else the stored one."""
    chosen = set(form.texts(FIELD) if form else project_ids or [])
    return {
        "is_all": not form.has(LIMITED) if form else project_ids is None,
        "choices": [
            {"id": project.id, "name": project.name, "is_chosen": project.id in chosen}
            for project in await host_of(site).list_projects(site, workspace_id, viewer_id=viewer_id)
        ],
    }
