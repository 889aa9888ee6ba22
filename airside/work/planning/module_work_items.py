"""The work items of a module; a work item may be in several."""

from airside.rest.links import Links, link_routes
from airside.work.planning.module_links import MODULE_LINKS_V1
from airside.work.planning.modules import MODULES_V1
from airside.work.work_items.work_items import WORK_ITEMS_V1

MODULE_WORK_ITEMS_V1 = Links(
    MODULE_LINKS_V1,
    under=MODULES_V1,
    column="issue_id",
    ids="issues",
    shows=WORK_ITEMS_V1,
    answers_links=True,
)
MODULE_WORK_ITEM_ROUTES = link_routes(MODULE_WORK_ITEMS_V1, "module work item", "module work items")
