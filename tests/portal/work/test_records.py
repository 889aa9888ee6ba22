"""The plain pages of records: they show what the API answers, to those whom it would answer."""

from airside.portal.work.record_kinds import KINDS
from airside.runtime.site import Site
from tests.cast import Cast
from tests.portal.visitor import signed_in
from tests.portal.work.desk import Desk, at_desk

UNKNOWN = "019a2f6e-7c1b-7e0a-9d52-0b6f1a3c4d5e"


def test_a_kind_stands_on_one_page_only() -> None:
    paths = [kind.path for kind in KINDS]
    assert len(paths) == len(set(paths))
    assert "projects/{project_id}/records/pages" in paths
    assert not any("work_item_id" in path for path in paths)


async def make_page(desk: Desk, **body: object) -> str:
    path = f"{desk.records}/pages"
    sent = {"name": "Minutes", "description_html": "<p>We <strong>met</strong>.</p>", **body}
    made = await desk.api.post(path, sent)
    changed = await desk.api.patch(f"{path}/{made.json['id']}", {"name": "Minutes of May"})
    assert changed.status_code == 200
    return made.json["id"]


async def test_a_record_is_listed_and_shown_with_its_fields_and_history(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        page_id, records = await make_page(desk), f"{desk.project}/records/pages/"
        listed = await desk.who.get(records)
        assert "Minutes of May" in listed.text
        assert f'href="{records}{page_id}/"' in listed.text
        shown = await desk.who.get(f"{records}{page_id}/")
        assert "<h1>Minutes of May" in shown.text
        assert "We <strong>met</strong>." in shown.text
        assert "<del>Minutes</del>" in shown.text
        assert "made this page" in shown.text


async def test_a_feature_that_is_off_has_no_tab(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        tab = f'href="{desk.project}/records/pages/"'
        assert tab in (await desk.who.get(desk.items)).text
        await desk.api.patch(f"{desk.records}/features", {"pages": False})
        assert tab not in (await desk.who.get(desk.items)).text


async def test_a_project_s_one_record_is_there_or_there_is_none(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        page = f"{desk.project}/records/estimates/"
        assert "Nothing here yet" in (await desk.who.get(page)).text
        made = await desk.api.post(f"{desk.records}/estimates", {"name": "Sizes"})
        assert made.status_code == 201, made.text
        shown = await desk.who.get(page)
        assert "<h1>Sizes" in shown.text
        assert "Estimate points" in shown.text


async def test_another_workspace_s_person_sees_none_of_them(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        page_id, records = await make_page(desk), f"{desk.project}/records/pages/"
        async with signed_in(site, "zoe") as zoe:
            for path in (records, f"{records}{page_id}/"):
                assert (await zoe.get(path)).status == 404


async def test_somebody_elses_private_page_is_not_there(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        page_id, records = await make_page(desk, access=1), f"{desk.project}/records/pages/"
        async with signed_in(site, "ana") as ana:
            assert (await ana.get(f"{records}{page_id}/")).status == 200
        assert (await desk.who.get(f"{records}{page_id}/")).status == 404
        assert (await desk.who.get(f"{records}{UNKNOWN}/")).status == 404
        assert "Minutes" not in (await desk.who.get(records)).text
