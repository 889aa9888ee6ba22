"""Another Plane as the source: a stand-in of a Community Edition, which limits rates, redirects to its storage, and
doesn't have everything."""

# pyright: basic

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from airside.db.base import Row
from airside.errors import Refused
from airside.moving.bundle import Bundle
from airside.moving.import_folder import import_folder
from airside.moving.progress import Unwatched
from airside.moving.remote_client import RemotePlane, SourceRefused
from airside.moving.remote_fetch import fetch_workspace
from airside.moving.report import Report
from airside.work.work_items.attachments import files
from airside.work.work_items.comments import comments
from airside.work.work_items.relation_kinds import relations
from airside.work.work_items.tables import work_items
from airside.workspaces.create import create_workspace
from tests.support.workshop import Workshop

pytestmark = pytest.mark.asyncio(loop_scope="module")
KEY = "plane_api_0123456789abcdef"
PICTURE = b"picture" * 50_000
ANA, ZED = ("00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b")
AT = "2026-01-02T03:04:05.678901Z"


def uid(number: int) -> str:
    return f"00000000-0000-4000-9000-{number:012x}"


PROJECT = uid(1)
STAMPS = {"created_at": AT, "updated_at": AT, "created_by": ZED, "updated_by": None, "project": PROJECT}
ITEMS = [
    {"id": uid(100 + number), "name": f"Item {number}", "sequence_id": number + 5, "state": uid(2),
     "priority": "low", "description_html": f"<p>{number}</p>",
     "assignees": [ANA, ZED], "labels": [uid(3)], "type_id": None,
     "parent": uid(101) if number == 0 else None, "sort_order": 1.5, "completed_at": None, "archived_at": None,
     "external_id": None, "external_source": None, **STAMPS}
    for number in range(130)
]  # fmt: skip
FIRST = f"projects/{PROJECT}/work-items/{uid(100)}"
LISTS: dict[str, Any] = {
    "members": [
        {"id": ANA, "email": "ana@example.com", "display_name": "Ana", "first_name": "Ana", "role": 20},
        {"id": ZED, "email": "zed@example.com", "display_name": "Zed", "last_name": "Zorn", "role": 15},
    ],
    "projects": [{"id": PROJECT, "name": "Ship", "identifier": "SHIP", "network": 2, "cycle_view": True, **STAMPS}],
    f"projects/{PROJECT}/project-members": [{"id": ANA, "email": "ana@example.com"}],
    f"projects/{PROJECT}/states": [
        {"id": uid(2), "name": "Doing", "color": "#fff", "group": "started", "sequence": 5.0, **STAMPS}
    ],
    f"projects/{PROJECT}/labels": [{"id": uid(3), "name": "wet", "color": "#00f", "parent": None, **STAMPS}],
    f"projects/{PROJECT}/work-items": ITEMS,
    f"projects/{PROJECT}/cycles": [
        {"id": uid(4), "name": "Week", "start_date": "2026-01-01T00:00:00Z", "end_date": "2026-01-07T00:00:00Z",
         "owned_by": ANA, **STAMPS}
    ],
    f"projects/{PROJECT}/cycles/{uid(4)}/cycle-issues": [ITEMS[0]],
    f"{FIRST}/comments": [{"id": uid(5), "comment_html": "<p>ahoy</p>", "actor": ZED, "parent": None, **STAMPS}],
    f"{FIRST}/links": [{"id": uid(6), "url": "https://sea.example", "title": None, **STAMPS}],
    f"{FIRST}/attachments": [
        {"id": uid(7), "attributes": {"name": "sea.png", "type": "image/png", "size": len(PICTURE)}, **STAMPS}
    ],
    f"{FIRST}/relations": {"blocking": [uid(102)], "blocked_by": [], "relates_to": [uid(103)]},
    f"projects/{PROJECT}/work-items/{uid(103)}/relations": {"relates_to": [uid(100)]},
}  # fmt: skip


class StandIn(ThreadingHTTPServer):
    """Answers the lists page by page; every list once with 429, and the first with 503."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked: list[tuple[str, str | None]] = []
        self.elsewhere = ""


class Handler(BaseHTTPRequestHandler):
    server: StandIn

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        parts, key = urlsplit(self.path), self.headers.get("X-Api-Key")
        before = [path for path, _ in self.server.asked]
        self.server.asked.append((parts.path, key))
        if parts.path.startswith("/uploads/"):
            self.answer(200, PICTURE)
        elif key != KEY:
            self.answer(401, {"detail": "Authentication credentials were not provided."})
        elif parts.path == "/api/v1/users/me/":
            self.answer(200, {"id": ANA})
        elif parts.path == "/api/v1/workspaces/sea/members/" and parts.path not in before:
            self.answer(503, {})
        elif parts.path.endswith("/states/") and parts.path not in before:
            self.answer(429, {"error_code": 5900}, **{"Retry-After": "0"})
        elif parts.path.endswith(f"/attachments/{uid(7)}/"):
            self.answer(302, b"", Location=f"{self.server.elsewhere}/uploads/sea.png?signature=1")
        else:
            self.list(parts.path.removeprefix("/api/v1/workspaces/sea/").strip("/"), parse_qs(parts.query))

    def list(self, path: str, query: dict[str, list[str]]) -> None:
        if path not in LISTS:
            self.answer(404, {"error": "Page not found."})
            return
        rows = LISTS[path]
        if path.endswith(("members", "attachments", "relations")):
            self.answer(200, rows)
            return
        at, size = int(query.get("cursor", ["100:0:0"])[0].split(":")[1]), int(query["per_page"][0])
        page = rows[at * size : (at + 1) * size]
        more = (at + 1) * size < len(rows)
        shown = {"next_cursor": f"{size}:{at + 1}:0", "next_page_results": more, "results": page}
        self.answer(200, shown)

    def answer(self, status: int, body: Any, **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def sea() -> Iterator[StandIn]:
    server = StandIn()
    server.elsewhere = server.url
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


async def fetch(workshop: Workshop, sea: StandIn, folder: Path) -> tuple[Path, list[Row]]:
    async with RemotePlane(workshop.site.settings, sea.url, KEY, Unwatched()) as source:
        return await fetch_workspace(source, "sea", folder, Unwatched(), AT)


async def bring(workshop: Workshop, folder: Path, slug: str) -> tuple[Row, Report]:
    site, ana = workshop.site, workshop.cast.ana["id"]
    workspace = await create_workspace(site, name="Sea", slug=slug, owner_id=ana)
    return workspace, await import_folder(
        site, workspace, Bundle(folder), ana, Unwatched(), made_workspace=True
    )


async def test_a_community_edition_comes_whole_and_says_what_it_does_not_have(
    workshop: Workshop, sea: StandIn, tmp_path: Path
) -> None:
    folder, left_out = await fetch(workshop, sea, tmp_path / "sea")
    assert {"modules", "pages", "worklogs", "milestones"} <= {one["family"] for one in left_out}
    workspace, report = await bring(workshop, folder, "sea")
    assert report.as_json()["left"] == []
    site, here = workshop.site, {"workspace_id": workspace["id"]}
    items = {row["name"]: row for row in await site.db.find_all(work_items, **here)}
    assert len(items) == 130
    first, second = items["Item 0"], items["Item 1"]
    assert first["parent_id"] == second["id"]
    assert (first["sequence_id"], first["created_at"].isoformat()) == (5, "2026-01-02T03:04:05.678901+00:00")
    assert (first["external_source"], first["external_id"]) == ("127.0.0.1/sea", uid(100))
    [named] = report.named
    assert (named["name"], named["email"]) == ("Zed", "zed@example.com")
    [comment] = await site.db.find_all(comments, **here)
    assert comment["comment_html"] == "<p>ahoy</p>"
    assert comment["actor_id"] == first["created_by_id"] != workshop.cast.ana["id"]
    kinds = sorted(row["relation_type"] for row in await site.db.find_all(relations, **here))
    assert kinds == ["blocking", "relates_to"]
    [file] = await site.db.find_all(files, **here)
    assert (file["name"], file["size"], file["is_uploaded"]) == ("sea.png", len(PICTURE), True)
    assert report.came["cycle_work_items"] == 1


async def test_a_run_that_was_interrupted_asks_for_no_list_again(
    workshop: Workshop, sea: StandIn, tmp_path: Path
) -> None:
    await fetch(workshop, sea, tmp_path / "sea")
    asked = len(sea.asked)
    again, _ = await fetch(workshop, sea, tmp_path / "sea")
    paths = [path.removeprefix("/api/v1/workspaces/sea/").strip("/") for path, _ in sea.asked[asked:]]
    assert [path for path in paths if path in LISTS] == ["projects"]  # for the workspace's name
    assert Bundle(again).count("work_items") == 130
    assert len([path for path, _ in sea.asked if path.startswith("/uploads/")]) == 1


async def test_the_key_goes_to_no_other_origin_and_no_redirect_leads_inside(
    workshop: Workshop, sea: StandIn, tmp_path: Path
) -> None:
    sea.elsewhere = sea.url.replace("127.0.0.1", "localhost")
    async with RemotePlane(workshop.site.settings, sea.url, KEY, Unwatched()) as source:
        path = f"workspaces/sea/{FIRST}/attachments/{uid(7)}"
        with pytest.raises(Refused, match="this address"):
            await source.save(path, tmp_path / "file", 1_000_000)
    assert not [path for path, _ in sea.asked if path.startswith("/uploads/")]


async def test_a_wrong_key_ends_the_run_with_a_sentence(
    workshop: Workshop, sea: StandIn, tmp_path: Path
) -> None:
    async with RemotePlane(workshop.site.settings, sea.url, "wrong", Unwatched()) as source:
        with pytest.raises(SourceRefused, match="doesn't accept the API key"):
            await fetch_workspace(source, "sea", tmp_path / "sea", Unwatched(), AT)
