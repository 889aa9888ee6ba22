"""The promises of the host's protocol, kept by every implementation."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from airside.agents.tables import agent_runs
from airside.db.base import Row, new_id
from airside.db.statements import Statement
from airside.events.outbox import Change
from airside.events.tables import events
from airside.host.protocol import Comment, Item, Viewer, Watcher
from airside.identity.sessions import start_session
from airside.rest.call import Call
from airside.rest.verbs import in_transaction
from airside.rich_text.html import clean_html
from tests.agents.scene import mention_of
from tests.host.stages import Stage


class Seen:
    """What a watcher was called with."""

    def __init__(self) -> None:
        self.comments: list[tuple[Comment | None, Comment]] = []
        self.items: list[tuple[Item | None, Item]] = []
        self.actors: list[str] = []
        self.watcher = Watcher(self._on_comment, self._on_item)

    async def _on_comment(self, call: Call, before: Comment | None, comment: Comment) -> None:
        assert call.writer, "it is called in the transaction"
        self.comments.append((before, comment))
        self.actors.append(call.caller.user_id)

    async def _on_item(self, call: Call, before: Item | None, item: Item) -> None:
        assert call.writer
        self.items.append((before, item))


@pytest.fixture
def seen(stage: Stage) -> Seen:
    watching = Seen()
    stage.host.start(stage.site, watching.watcher)
    return watching


async def act(call: Call, work: Callable[[], Awaitable[Any]]) -> Any:
    return await in_transaction(call, work)


async def write(stage: Stage, text: str, thread_id: str | None, comment_id: str) -> str:
    """A comment of Ana's by the protocol; the id of its thread."""
    call = await stage.call(stage.cast.ana, stage.project)
    cleaned = await clean_html(f"<p>{text}</p>", "content")
    found: str = await act(
        call,
        lambda: stage.host.write_comment(
            call, comment_id=comment_id, item_id=stage.item, thread_id=thread_id, text=cleaned
        ),
    )
    await stage.settle()
    return found


async def test_a_new_comment_is_an_event_of_its_author(stage: Stage, seen: Seen) -> None:
    comment_id = await stage.comment(stage.cast.ben, "<p>1 &lt; <b>2</b></p>")
    ((before, comment),) = seen.comments
    assert before is None
    assert (comment.id, comment.item_id, comment.project_id) == (comment_id, stage.item, stage.project)
    assert (comment.parent_id, comment.html, comment.text) == (None, "<p>1 &lt; <b>2</b></p>", "1 < 2")
    assert seen.actors == [stage.cast.ben["id"]]


async def test_an_edited_comment_comes_with_what_it_was(stage: Stage, seen: Seen) -> None:
    comment_id = await stage.comment(stage.cast.ana, "<p>one</p>")
    await stage.edit(comment_id, "<p>two</p>")
    before, comment = seen.comments[-1]
    assert before is not None
    assert (before.id, before.text, comment.id, comment.text) == (comment_id, "one", comment_id, "two")


async def test_a_work_item_comes_with_its_key_and_its_assignees(stage: Stage, seen: Seen) -> None:
    item_id = await stage.put_item("Forecast", stage.cast.ben["id"])
    ((before, item),) = seen.items
    assert before is None
    assert (item.id, item.name, item.project_id) == (item_id, "Forecast", stage.project)
    assert (item.key, item.text, list(item.assignees)) == ("ENGIN-2", "Rain", [stage.cast.ben["id"]])


async def test_a_watcher_that_is_started_twice_is_called_once(stage: Stage, seen: Seen) -> None:
    stage.host.start(stage.site, seen.watcher)
    await stage.comment(stage.cast.ana, "<p>one</p>")
    assert len(seen.comments) == 1


async def test_a_comment_is_found_until_it_is_deleted(stage: Stage) -> None:
    comment_id = await stage.comment(stage.cast.ana, "<p>one</p>")
    call = await stage.call(stage.cast.ana)
    found = await stage.host.find_comment(call, comment_id, stage.item)
    assert found is not None
    assert (found.id, found.item_id, found.project_id, found.text) == (
        comment_id, stage.item, stage.project, "one",
    )  # fmt: skip
    await stage.delete_comment(comment_id)
    assert await stage.host.find_comment(call, comment_id) is None
    assert await stage.host.find_comment(call, new_id()) is None


async def test_a_work_item_is_located_until_it_is_deleted(stage: Stage) -> None:
    call = await stage.call(stage.cast.ana)
    assert await stage.host.locate_item(call, stage.item) == stage.project
    assert await stage.host.locate_item(call, new_id()) is None
    names = await stage.host.name_items(stage.site.db, stage.cast.acme["id"], [stage.item, new_id()])
    ((item_id, named),) = names.items()
    assert (item_id, named.id, named.key, named.name) == (stage.item, stage.item, "ENGIN-1", "Weather page")
    await stage.delete_item(stage.item)
    assert await stage.host.locate_item(call, stage.item) is None
    assert await stage.host.name_items(stage.site.db, stage.cast.acme["id"], [stage.item]) == {}


async def test_a_thread_is_named_by_its_first_comment(stage: Stage) -> None:
    first = await stage.comment(stage.cast.ana, "<p>one</p>")
    reply = await stage.comment(stage.cast.ben, "<p>two</p>", first)
    deeper = await stage.comment(stage.cast.ana, "<p>three</p>", reply)
    call = await stage.call(stage.cast.ana)
    for comment_id in (first, reply, deeper):
        comment = await stage.host.find_comment(call, comment_id)
        assert comment is not None
        assert await act(call, lambda c=comment: stage.host.lock_thread(call, c)) == first


async def test_a_written_comment_is_known_by_the_id_that_the_caller_chose(stage: Stage, seen: Seen) -> None:
    asked, answer, again = await stage.comment(stage.cast.ben, "<p>asked</p>"), new_id(), new_id()
    assert await write(stage, "answered", asked, answer) == asked
    assert await write(stage, "again", asked, again) == asked
    shown = [(comment.id, comment.parent_id, comment.text) for _, comment in seen.comments[1:]]
    assert shown == [(answer, asked, "answered"), (again, asked, "again")]
    call = await stage.call(stage.cast.ana)
    found = await stage.host.find_comment(call, answer)
    assert found is not None
    assert (found.id, found.parent_id, found.text) == (answer, asked, "answered")
    author = stage.cast.ana["id"]
    assert await stage.thread() == [(stage.cast.ben["id"], "asked"), (author, "answered"), (author, "again")]


async def test_a_written_comment_begins_a_thread_where_there_is_none(stage: Stage) -> None:
    gone, first, second, reply = (
        await stage.comment(stage.cast.ben, "<p>gone</p>"),
        new_id(),
        new_id(),
        new_id(),
    )
    await stage.delete_comment(gone)
    assert await write(stage, "without", None, first) == first
    assert await write(stage, "deleted", gone, second) == second
    assert await write(stage, "a reply to the second", second, reply) == second


async def test_of_a_comment_that_was_rolled_back_nothing_is_left(stage: Stage, seen: Seen) -> None:
    call, comment_id = await stage.call(stage.cast.ana, stage.project), new_id()
    cleaned = await clean_html("<p>never</p>", "content")

    async def work() -> None:
        await stage.host.write_comment(
            call, comment_id=comment_id, item_id=stage.item, thread_id=None, text=cleaned
        )
        raise InterruptedError

    with pytest.raises(InterruptedError):
        await act(call, work)
    await stage.settle()
    assert await stage.thread() == []
    assert await stage.host.find_comment(call, comment_id) is None


async def test_an_update_is_sent_to_one_installation_alone(stage: Stage, seen: Seen) -> None:
    await stage.comment(stage.cast.ana, "<p>one</p>")
    ((_, comment),) = seen.comments
    call, installation_id = await stage.call(stage.cast.ana, stage.project), stage.cast.installation["id"]
    change = Change("description", "", comment.html)
    await act(call, lambda: stage.host.send_update(call, comment, change, installation_id))
    rows = await stage.site.db.find_all(events, entity_id=comment.id)
    (sent,) = [row for row in rows if row["installation_id"] == installation_id]
    assert (sent["name"], sent["project_id"]) == ("workitem.comment.updated", stage.project)
    assert [one["field"] for one in sent["changes"]] == ["description"]
    assert sent["data"]["id"] == comment.id


async def test_members_of_the_project_and_admins_may_read_it(stage: Stage) -> None:
    cast, workspace_id = stage.cast, stage.cast.acme["id"]

    async def may_read(user: Row, *, is_admin: bool = False, id: str = "") -> list[bool]:
        viewer = Viewer(workspace_id, user["id"], is_admin)
        return [
            await stage.host.may_read(stage.site, viewer, "project", id or stage.project),
            await stage.host.may_read(stage.site, viewer, "work_item", id or stage.item),
        ]

    assert await may_read(cast.ben) == [True, True]
    assert await may_read(cast.gil) == [False, False]
    assert await may_read(cast.gil, is_admin=True) == [True, True]
    assert await may_read(cast.ana, is_admin=True, id=new_id()) == [False, False]


async def test_another_workspace_knows_none_of_it(stage: Stage) -> None:
    """Also for its admin."""
    cast, host = stage.cast, stage.host
    comment_id = await stage.comment(cast.ana, "<p>one</p>")
    call, viewer = (
        await stage.call(cast.zoe, workspace="other"),
        Viewer(cast.other["id"], cast.zoe["id"], True),
    )
    assert await host.find_comment(call, comment_id, stage.item) is None
    assert await host.locate_item(call, stage.item, stage.project) is None
    assert await host.name_items(stage.site.db, cast.other["id"], [stage.item]) == {}
    assert not await host.may_read(stage.site, viewer, "project", stage.project)
    assert not await host.may_read(stage.site, viewer, "work_item", stage.item)
    assert list(await host.list_projects(stage.site, cast.other["id"], archived=True)) == []


async def test_the_picker_of_projects_has_archived_ones_only_when_asked(stage: Stage) -> None:
    workspace_id = stage.cast.acme["id"]
    (engine,) = await stage.host.list_projects(stage.site, workspace_id)
    assert msgspec.structs.astuple(engine) == (stage.project, "Engine", "ENGIN")
    listed = await stage.host.list_projects(stage.site, workspace_id, archived=True)
    assert [project.name for project in listed] == ["Engine", "Old"]


async def test_records_of_ours_are_limited_to_the_projects_that_the_caller_sees(stage: Stage) -> None:
    await stage.comment(stage.cast.ana, mention_of(stage.cast.installation["bot_user_id"]))
    found = {}
    for user in (stage.cast.ana, stage.cast.ben, stage.cast.gil):
        narrowing = stage.host.in_visible_projects(await stage.call(user), agent_runs.c.project_id)
        statement = Statement(sa.select(agent_runs.c.project_id).where(*narrowing.clauses))
        rows = await stage.site.db.fetch_all(statement, **narrowing.params)
        found[user["display_name"]] = [row["project_id"] for row in rows]
    assert found == {"Ana": [stage.project], "Ben": [stage.project], "Gil": []}


async def test_a_session_says_who_is_signed_in(stage: Stage) -> None:
    session_id = await start_session(stage.site, stage.cast.ana["id"])
    session = await stage.host.find_session(stage.site, session_id, {})
    assert session is not None
    assert session.user_id == stage.cast.ana["id"]
    assert await stage.host.find_session(stage.site, "", {}) is None
    assert await stage.host.find_session(stage.site, "unknown", {}) is None
