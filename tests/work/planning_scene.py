"""A project with an estimate, for tests of what plans work items."""

from typing import Any

from airside.db.base import Row
from tests.support.workshop import Workshop, unique


async def make_project(workshop: Workshop) -> str:
    """A new project of Acme; the path below it."""
    name = unique("Plan")
    body = {"name": name, "identifier": f"P{name.split()[1]}"}
    made = await workshop.ana.post("workspaces/acme/projects", body)
    assert made.status_code == 201, made.text
    return f"workspaces/acme/projects/{made.json['id']}"


async def estimate(workshop: Workshop, project: str, *values: str, kind: str = "points") -> dict[str, str]:
    """Give the project an estimate; value → id of its point."""
    made = await workshop.ana.post(f"{project}/estimates", {"name": "Scale", "type": kind})
    assert made.status_code == 201, made.text
    path = f"{project}/estimates/{made.json['id']}/estimate-points"
    points = await workshop.ana.post(path, [{"value": value} for value in values])
    assert points.status_code == 201, points.text
    return {point["value"]: point["id"] for point in points.json}


async def add_item(workshop: Workshop, project: str, **body: Any) -> Row:
    made = await workshop.ana.post(f"{project}/work-items", {"name": unique("Item"), **body})
    assert made.status_code == 201, made.text
    return made.json


async def state_of(workshop: Workshop, project: str, group: str) -> str:
    listed = await workshop.ana.get(f"{project}/states")
    return next(one["id"] for one in listed.json["results"] if one["group"] == group)
