"""The list of everything that may follow a change on many records, for the worker, which finishes it."""

from airside.rest.ancestry import own_references
from airside.rest.followups import Followup, clearing, run_followups
from airside.runtime.site import Site
from airside.work.access import RoleAccess
from airside.work.pages.collections import ARCHIVED_PAGES, RELEASED_PAGES
from airside.work.pages.pages import PAGES_V1
from airside.work.planning.cycle_transfer import TRANSFERRED
from airside.work.planning.estimate_points import LOST_POINTS
from airside.work.planning.milestone_links import EMPTIED_MILESTONE
from airside.work.planning.unlinking import EMPTIED_PLANS
from airside.work.projects.labels import LABELS_V1
from airside.work.types.options import OPTIONS_V1
from airside.work.work_items.comments import COMMENTS_V1
from airside.work.work_items.work_items import WORK_ITEMS_V1

# Kinds of records with parents of their own kind.
_TREES = (COMMENTS_V1, LABELS_V1, OPTIONS_V1, PAGES_V1, WORK_ITEMS_V1)

_KNOWN: tuple[Followup, ...] = (
    *(clearing(face, column) for face in _TREES for column in own_references(face.record)),
    LOST_POINTS,
    EMPTIED_MILESTONE,
    *EMPTIED_PLANS.values(),
    TRANSFERRED,
    ARCHIVED_PAGES,
    RELEASED_PAGES,
)
FOLLOWUPS = {one.kind: one for one in _KNOWN}


async def finish_followups(site: Site) -> bool:
    """One more batch; True when there may be more."""
    return await run_followups(site, RoleAccess(), FOLLOWUPS)
