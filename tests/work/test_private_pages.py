"""A private page is its owner's alone, over webhooks too."""

from airside.events.tables import events
from airside.runtime.site import Site
from airside.webhooks.fanout import fan_out
from airside.webhooks.queue.database import DatabaseQueue
from airside.webhooks.tables import webhook_deliveries
from airside.work.pages.pages import PAGES_V1
from airside.work.pages.routes import PAGE_ROUTES
from airside.work.projects.projects import PROJECTS_V1
from tests.cast import make_cast
from tests.support.api import serve_api


async def test_events_of_a_private_page_are_recorded_and_sent_to_nobody(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, PROJECTS_V1, PAGES_V1, *PAGE_ROUTES).acting_as(cast.ana["id"]) as ana:
        project = (await ana.post("workspaces/acme/projects", {"name": "Engine", "identifier": "ENG"})).json
        path = f"workspaces/acme/projects/{project['id']}/pages"
        for name, access in (("Diary", 1), ("Manual", 0)):
            answer = await ana.post(path, {"name": name, "description_html": "<p>x</p>", "access": access})
            assert answer.status_code == 201, answer.text
    while await fan_out(site, DatabaseQueue(site)):
        pass
    recorded = {row["id"]: row for row in await site.db.find_all(events) if row["name"] == "page.created"}
    assert {row["data"]["name"] for row in recorded.values()} == {"Diary", "Manual"}
    delivered = {delivery["event_id"] for delivery in await site.db.find_all(webhook_deliveries)}
    assert [row["data"]["name"] for row in recorded.values() if row["id"] in delivered] == ["Manual"]
