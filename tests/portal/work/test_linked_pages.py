"""The pages of a work item: on its page, each with a link to where it is read."""

from airside.runtime.site import Site
from tests.cast import Cast
from tests.portal.work.desk import at_desk


async def test_a_work_item_names_its_pages_and_leads_to_their_text(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        item = await desk.make_item()
        body = {"description_html": "<p>Oil the <strong>wheel</strong>.</p>"}
        for path in (f"{desk.records}/pages", "workspaces/acme/pages"):
            page = (await desk.api.post(path, body | {"name": f"Manual of {path[-12:]}"})).json
            link = await desk.api.post(
                f"{desk.records}/work-items/{item['id']}/pages", {"page_id": page["id"]}
            )
            assert link.status_code == 201, link.json
            shown = (await desk.who.get("/acme/browse/ENGIN-1/")).text
            assert page["name"] in shown
            at = path.removeprefix("workspaces/acme/").replace("pages", "records/pages")
            href = f"/acme/{at}/{page['id']}/"
            assert f'href="{href}"' in shown
            assert "Oil the <strong>wheel</strong>." in (await desk.who.get(href)).text
