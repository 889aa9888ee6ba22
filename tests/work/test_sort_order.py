"""Where a new work item goes: below the last one of its state, found without reading the others."""

from airside.db.base import new_id
from airside.runtime.site import Site
from airside.work.work_items.tables import work_items
from airside.work.work_items.work_items import _LAST_SORT
from tests.support.effort import effort, record_growth
from tests.work.board import add_item, make_board

FEW, MANY = 10, 2_000


async def test_a_new_work_item_costs_the_same_however_many_its_state_holds(site: Site) -> None:
    board = await make_board(site)
    await add_item(board, "ENG", 100, "last", "backlog", [], [])
    row = await site.db.find(work_items, workspace_id=board.cast.acme["id"], sequence_id=100)
    assert row is not None
    keys = {name: row[name] for name in ("workspace_id", "project_id", "state_id")}
    few = await effort(site.db, _LAST_SORT, **keys)
    async with site.db.transaction() as tx:
        await tx.insert_all(
            work_items,
            [row | {"id": new_id(), "sequence_id": 101 + n, "sort_order": float(n)} for n in range(MANY)],
        )
    await record_growth(site.db, "work_items")
    assert await effort(site.db, _LAST_SORT, **keys) <= 2 * few + 10
    assert await site.db.fetch_value(_LAST_SORT, **keys) == max(row["sort_order"], MANY - 1.0)
