"""A project of its own for each test, since cycles of one project may not overlap; its clock stands at NOW."""

from typing import Any

from falcon import testing

from airside.db.base import Row
from tests.support.api import Client
from tests.support.workshop import Workshop, unique

# Of the workshop: 2026-01-05, 12:00:00.123456 UTC.
NOW = "2026-01-05T12:00:00.123456Z"
PAST = {"start_date": "2025-12-01", "end_date": "2025-12-14"}
MISSING = {"error": "The requested resource does not exist."}


class Project:
    def __init__(self, workshop: Workshop, path: str) -> None:
        self.workshop, self.path = workshop, path
        self.ana: Client = workshop.ana

    async def make(self, kind: str = "cycles", **body: Any) -> Row:
        answer = await self.post(kind, **({"name": unique("Thing")} | body))
        assert answer.status_code == 201, answer.text
        return answer.json

    async def items(self, *groups: str, **body: Any) -> list[str]:
        """The ids of new work items in these groups of states."""
        listed = (await self.get("states"))["results"]
        states = {one["group"]: one["id"] for one in reversed(listed)}
        return [(await self.make("work-items", state=states[group], **body))["id"] for group in groups]

    async def post(self, kind: str, **body: Any) -> testing.Result:
        return await self.ana.post(f"{self.path}/{kind}", body)

    async def add(self, plan: Row, *ids: str) -> list[Row]:
        """Put work items into a cycle or module."""
        kind = "cycle" if "end_date" in plan else "module"
        answer = await self.post(f"{kind}s/{plan['id']}/{kind}-issues", issues=list(ids))
        assert answer.status_code == 200, answer.text
        return answer.json

    async def get(self, tail: str, **query: str) -> Any:
        answer = await self.ana.get(f"{self.path}/{tail}", **query)
        assert answer.status_code == 200, answer.text
        return answer.json

    async def ids(self, tail: str, **query: str) -> list[str]:
        return [one["id"] for one in (await self.get(tail, **query))["results"]]

    async def history(self, item_id: str, field: str) -> list[tuple[str, str, str, str]]:
        """Verb, old and new value, and comment of what happened to the field."""
        rows = (await self.get(f"work-items/{item_id}/activities"))["results"]
        return [
            (row["verb"], row["old_value"], row["new_value"], row["comment"])
            for row in rows
            if row["field"] == field
        ]


async def make_planned_project(workshop: Workshop) -> Project:
    number = unique("X").split()[1]
    body = {"name": f"Planned {number}", "identifier": f"X{number}", "cycle_view": True, "module_view": True}
    made = (await workshop.ana.post("workspaces/acme/projects", body)).json
    return Project(workshop, f"workspaces/acme/projects/{made['id']}")
