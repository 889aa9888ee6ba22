"""A board of work items that queries, filters, searches and counts are asked about.

Acme's projects ENG (Ana, Ben and Gil) and the secret OPS (Ana alone); the clock stands at Monday, 2026-01-05.

    ENG-1 alpha    urgent  unstarted  Ana       bug        due 2026-01-02, started 2025-12-20
    ENG-2 beta     high    started    Ana, Ben  bug, idea  due 2026-01-10, below alpha, made by Ben
    ENG-3 gamma    medium  completed                       due 2026-01-02, mentions a spreadsheet
    ENG-4 delta    none    backlog                         a draft
    ENG-5 epsilon  low     completed                       archived
    OPS-1 zeta     none    backlog    Ben                  made 2026-01-05, has only a deleted label
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from airside.db.base import Id, Row, new_id
from airside.db.statements import Statement
from airside.rest.call import Call, Caller
from airside.runtime.site import Site
from airside.work.access import RoleAccess
from airside.work.projects.labels import labels
from airside.work.projects.states import states
from airside.work.projects.tables import project_members, projects
from airside.work.work_items.tables import work_item_assignees, work_item_labels, work_items
from tests.cast import Cast, make_cast

ALL = {"alpha", "beta", "gamma", "delta", "epsilon", "zeta"}

MADE = datetime(2025, 12, 26, 9, 30, tzinfo=UTC)


@dataclass
class Board:
    site: Site
    cast: Cast
    eng: str = ""
    ops: str = ""
    ids: dict[str, str] = field(default_factory=dict)  # of items by first word, states as ENG/started, labels
    names: dict[str, str] = field(default_factory=dict)  # id → first word, of items

    def call(self, user: Row | None = None, role: int = 20, **query: str) -> Call:
        caller = Caller(user_id=(user or self.cast.ana)["id"], kind="api_key", budget="x")
        return Call(
            self.site, RoleAccess(), caller, self.site.clock.now(), "GET", {}, query,
            workspace=self.cast.acme, workspace_role=role,
        )  # fmt: skip

    async def run(self, clause: sa.ColumnElement[bool], **params: Any) -> set[str]:
        """The items of Acme that the condition lets through, by their first word."""
        statement = Statement(
            sa.select(work_items.c.id).where(
                work_items.c.workspace_id == sa.bindparam("workspace_id", type_=Id()), clause
            )
        )
        rows = await self.site.db.fetch_all(statement, **params, workspace_id=self.cast.acme["id"])
        assert len(rows) == len({row["id"] for row in rows}), "a row twice"
        return {self.names[row["id"]] for row in rows}


async def make_board(site: Site) -> Board:
    board = Board(site, await make_cast(site))
    cast, workspace_id = board.cast, board.cast.acme["id"]
    ana, ben, gil = cast.ana["id"], cast.ben["id"], cast.gil["id"]
    board.eng = await add_project(board, workspace_id, "ENG", [ana, ben, gil])
    board.ops = await add_project(board, workspace_id, "OPS", [ana], network=0)
    for label in ("bug", "idea", "gone"):
        await _insert(site, labels, workspace_id, label, board, project_id=board.eng, name=label,
                      description="", color="", sort_order=0.0,
                      deleted_at=MADE if label == "gone" else None)  # fmt: skip
    due, later = date(2026, 1, 2), date(2026, 1, 10)
    await add_item(board, "ENG", 1, "alpha launch", "unstarted", [ana], ["bug"], priority="urgent",
                   target_date=due, start_date=date(2025, 12, 20))  # fmt: skip
    await add_item(board, "ENG", 2, "beta report: 50% done_", "started", [ana, ben], ["bug", "idea"],
                   priority="high", target_date=later, parent_id=board.ids["alpha"], created_by_id=ben)  # fmt: skip
    await add_item(board, "ENG", 3, "gamma", "completed", [], [], priority="medium", target_date=due,
                   description_stripped="A Spreadsheet of 50 cells", point=5)  # fmt: skip
    await add_item(board, "ENG", 4, "delta", "backlog", [], [], is_draft=True)
    await add_item(board, "ENG", 5, "epsilon", "completed", [], [], priority="low", archived_at=MADE)
    await add_item(board, "OPS", 1, "zeta Ärger", "backlog", [ben], ["gone"],
                   created_at=datetime(2026, 1, 5, 0, 0, tzinfo=UTC))  # fmt: skip
    return board


async def add_project(
    board: Board, workspace_id: str, identifier: str, members: list[str], **also: Any
) -> str:
    project_id = await _insert(board.site, projects, workspace_id, identifier, board, **{
        "name": identifier, "identifier": identifier, "description": "", "network": 2, "module_view": True,
        "cycle_view": True, "issue_views_view": True, "page_view": True, "intake_view": False,
        "is_time_tracking_enabled": False, "is_issue_type_enabled": False, "guest_view_all_features": False,
        "more_features": {}, "archive_in": 0, "close_in": 0, "timezone": "UTC", "last_sequence": 0, **also,
    })  # fmt: skip
    for group in ("backlog", "unstarted", "started", "completed", "cancelled"):
        await _insert(board.site, states, workspace_id, f"{identifier}/{group}", board, project_id=project_id,
                      name=group, description="", color="", slug=group, sequence=1.0, group=group,
                      is_triage=False, default=group == "backlog")  # fmt: skip
    for member in members:
        await _insert(board.site, project_members, workspace_id, "", board, project_id=project_id,
                      member_id=member, role=15)  # fmt: skip
    return project_id


async def add_item(
    board: Board, identifier: str, number: int, name: str, group: str, assignees: list[str], tags: list[str],
    **also: Any,
) -> str:  # fmt: skip
    word = name.split()[0].strip(":")
    workspace_id = also.pop("workspace_id", board.cast.acme["id"])
    item_id = await _insert(board.site, work_items, workspace_id, word, board, **{
        "project_id": board.ids[identifier], "sequence_id": number, "name": name, "description_html": "",
        "description_stripped": "", "description_json": {}, "priority": "none", "sort_order": 0.0,
        "state_id": board.ids[f"{identifier}/{group}"], "is_draft": False,
        "created_by_id": board.cast.ana["id"], **also,
    })  # fmt: skip
    board.names[item_id] = word
    key = {"workspace_id": workspace_id, "work_item_id": item_id}
    async with board.site.db.transaction() as tx:
        for position, user_id in enumerate(assignees):
            await tx.insert(work_item_assignees, {**key, "user_id": user_id, "position": position})
        for position, tag in enumerate(tags):
            await tx.insert(work_item_labels, {**key, "label_id": board.ids[tag], "position": position})
    return item_id


async def _insert(
    site: Site, table: sa.Table, workspace_id: str, known_as: str, board: Board, /, **row: Any
) -> str:
    made = {"workspace_id": workspace_id, "id": new_id(), "created_at": MADE, "updated_at": MADE, **row}
    async with site.db.transaction() as tx:
        await tx.insert(table, made)
    board.ids[known_as] = made["id"]
    return made["id"]
