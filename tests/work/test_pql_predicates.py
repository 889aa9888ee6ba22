"""Predicates of queries about what is below work items and how they are related, asked through the API."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from airside.assets.tables import files
from airside.db.base import new_id
from tests.support.api import Client
from tests.support.workshop import Workshop

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALL = {"one", "two", "three", "four"}


@dataclass
class Scene:
    workshop: Workshop
    ids: dict[str, str] = field(default_factory=dict)

    async def find(self, text: str, client: Client | None = None) -> set[str]:
        for name, one in self.ids.items():
            text = text.replace(f"{{{name}}}", f'"{one}"')
        answer = await (client or self.workshop.ana).get(self.workshop.path("work-items"), pql=text)
        assert answer.status_code == 200, (text, answer.text)
        known = {one: name for name, one in self.ids.items()}
        return {known[row["id"]] for row in answer.json["results"] if row["id"] in known}

    async def send(self, client: Client, name: str, path: str, **body: Any) -> None:
        sent = await client.post(self.workshop.path(f"work-items/{self.ids[name]}/{path}"), body)
        assert sent.status_code in (200, 201, 204), (path, sent.text)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(workshop: Workshop) -> Scene:
    made = Scene(workshop, {"ana": workshop.cast.ana["id"], "ben": workshop.cast.ben["id"]})
    for name in sorted(ALL):
        made.ids[name] = (await workshop.make("work-items", name=name))["id"]
    ana, ben = workshop.ana, workshop.ben
    await workshop.ana.patch(workshop.path("features"), {"intakes": True, "time_tracking": True})
    await workshop.ana.patch(workshop.path(""), {"is_time_tracking_enabled": True, "intake_view": True})
    await made.send(ana, "one", "comments", comment_html="<p>A blocker: 50%</p>")
    await made.send(ben, "one", "comments", comment_html="<p>Done</p>")
    await made.send(ana, "two", "comments", comment_html="<p>Fine</p>")
    await made.send(ana, "one", "links", url="https://figma.com/file/abc", title="Design")
    await made.send(ben, "two", "worklogs", description="Work", duration=30)
    await made.send(ana, "one", "relations", relation_type="blocking", issues=[made.ids["two"]])
    await made.send(ana, "two", "relations", relation_type="relates_to", issues=[made.ids["three"]])
    await made.send(ana, "three", "relations", relation_type="duplicate", issues=[made.ids["one"]])
    state = {"state": await workshop.state_of("completed")}
    done = await ben.patch(workshop.path(f"work-items/{made.ids['three']}"), state)
    assert done.status_code == 200
    await _attach(made, "two", is_uploaded=True)
    await _attach(made, "three", is_uploaded=False)
    await _file_in_intake(made)
    return made


async def _attach(scene: Scene, name: str, *, is_uploaded: bool) -> None:
    workshop = scene.workshop
    row = {
        "id": new_id(), "workspace_id": workshop.cast.acme["id"], "project_id": workshop.engine,
        "issue_id": scene.ids[name], "entity_type": "ISSUE_ATTACHMENT", "name": "a.pdf",
        "content_type": "application/pdf", "size": 5, "is_uploaded": is_uploaded, "storage_metadata": {},
        "created_by_id": workshop.cast.ben["id"],
        "created_at": workshop.clock.now(), "updated_at": workshop.clock.now(),
    }  # fmt: skip
    async with workshop.site.db.transaction() as tx:
        await tx.insert(files, row)


async def _file_in_intake(scene: Scene) -> None:
    workshop = scene.workshop
    filed = await workshop.ana.post(workshop.path("intake-issues"), {"issue": {"name": "filed"}})
    assert filed.status_code in (200, 201), filed.text
    scene.ids["filed"] = filed.json["issue"]
    path = workshop.path(f"intake-issues/{filed.json['issue']}")
    accepted = await workshop.ana.patch(path, {"status": 1})
    assert accepted.status_code == 200, accepted.text


QUERIES: list[tuple[str, set[str]]] = [
    ("blocks({two})", {"one"}),
    ("blockedBy({one})", {"two"}),
    ("blockedBy({two})", set()),
    ("linkedTo({two})", {"three"}),
    ("linkedTo({three})", {"two"}),
    ("duplicateOf({one})", {"three"}),
    ("linkedToAny({one}, {three})", {"one", "two", "three"}),
    ("hasRelations()", {"one", "two", "three"}),
    ("NOT hasRelations()", {"four", "filed"}),
    ("hasComments()", {"one", "two"}),
    ('hasComments(">= 2")', {"one"}),
    ("hasComments(2)", {"one"}),
    ('hasComments("= 0")', {"three", "four", "filed"}),
    ("commentedAfter(today())", {"one", "two"}),
    ("commentedBefore(daysAgo(1))", set()),
    ('commentContains("BLOCKER")', {"one"}),
    ('commentContains("50_")', set()),
    ("commentedBy({ben})", {"one"}),
    ("commentedBy(currentUser())", {"one", "two"}),
    ("commentedBy(workspaceMembers())", {"one", "two"}),
    ("lastCommentBy({ben})", {"one"}),
    ("lastCommentBy({ana})", {"two"}),
    ("hasLinks()", {"one"}),
    ("hasRemoteLinks()", {"one"}),
    ('linkContains("FIGMA")', {"one"}),
    ('linkContains("design")', {"one"}),
    ('hasLinkUrl("https://figma.com/file/abc")', {"one"}),
    ('hasLinkUrl("https://figma.com")', set()),
    ("hasAttachments()", {"two"}),
    ('hasAttachments("> 1")', set()),
    ("attachedBy({ben})", {"two"}),
    ("hasWorklogs()", {"two"}),
    ("workLoggedBy({ben})", {"two"}),
    ("workLoggedBy({ana})", set()),
    ("workLoggedBetween(daysAgo(1), today())", {"two"}),
    ("workLoggedBetween(daysAgo(3), daysAgo(1))", set()),
    ("stateChangedBy({ben})", {"three"}),
    ("resolvedBy({ben})", {"three"}),
    ("resolvedBy({ana})", set()),
    ("isIntake()", {"filed"}),
    ("hasComments() AND NOT hasLinks()", {"two"}),
]


async def test_a_predicate_finds_what_is_below_a_work_item_and_related_to_it(scene: Scene) -> None:
    wrong = {text: found for text, expected in QUERIES if (found := await scene.find(text)) != expected}
    assert wrong == {}


async def test_relations_to_work_items_that_the_caller_does_not_see_are_not_found(scene: Scene) -> None:
    workshop = scene.workshop
    path = f"workspaces/acme/projects/{workshop.garage}/work-items"
    hidden = (await workshop.ana.post(path, {"name": "hidden"})).json["id"]
    await scene.send(workshop.ana, "four", "relations", relation_type="relates_to", issues=[hidden])
    for text in (f'linkedTo("{hidden}")', f'linkedToAny("{hidden}")'):
        assert await scene.find(text) == {"four"}
        assert await scene.find(text, workshop.gil) == set()
    assert "four" in await scene.find("hasRelations()")
    assert "four" not in await scene.find("hasRelations()", workshop.gil)
    mine = await workshop.zoe.post(
        f"workspaces/other/projects/{workshop.elsewhere}/work-items", {"name": "elsewhere"}
    )
    assert await scene.find(f'linkedToAny("{mine.json["id"]}")') == set()
