"""Attachments on a work item's page: whoever writes there uploads, everybody there downloads."""

import re
from pathlib import Path

import pytest

from airside.portal.file_form import MEGABYTE
from airside.runtime.site import Site
from tests.cast import Cast
from tests.portal.visitor import Shown
from tests.portal.work.desk import Desk, at_desk
from tests.support.api import list_events

ITEM = "/acme/browse/ENGIN-1/"
ATTACHMENTS = f"{ITEM}attachments/"
BOUNDARY = "----a-file"


async def send_file(
    desk: Desk,
    content: bytes,
    name: str = "a.txt",
    content_type: str = "text/plain",
    token: str | None = None,
) -> Shown:
    """As the form of the page does: the token, then the file."""
    token = await desk.token() if token is None else token
    head = f'name="file"; filename="{name}"\r\nContent-Type: {content_type}'
    body = (
        (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n'
            f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n"
        ).encode()
        + content
        + f"\r\n--{BOUNDARY}--\r\n".encode()
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return await desk.who.send("POST", ATTACHMENTS, body, headers)


def kept(site: Site) -> list[Path]:
    return [path for path in (site.settings.data / "uploads").rglob("*") if path.is_file()]


async def test_a_person_attaches_downloads_and_deletes_a_file(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        item = await desk.make_item()
        answer = await send_file(desk, b"hello" * 50_000, "plän & <b>.txt")
        assert (answer.status, answer.location) == (303, f"{ITEM}#attachments")
        page = (await desk.who.get(ITEM)).text
        assert "plän &amp; &lt;b&gt;.txt" in page
        assert "244 kB" in page
        assert "attached <q>plän &amp; &lt;b&gt;.txt</q>" in page
        [link] = re.findall(rf'href="({ATTACHMENTS}[^"]+)"', page)
        led = await desk.who.get(link)
        assert led.status == 303
        path, _, query = led.location.removeprefix(site.settings.origin).partition("?")
        got = await desk.who.conductor.simulate_get(path, query_string=query)
        assert (got.status_code, got.content) == (200, b"hello" * 50_000)
        assert (await desk.post(f"{link}delete/")).status == 303
        after = (await desk.who.get(ITEM)).text
        assert "deleted the attachment <q>" in after
        assert f'href="{ATTACHMENTS}' not in after
        assert (await desk.who.get(link)).status == 404
        listed = await desk.api.get(f"{desk.records}/work-items/{item['id']}/attachments")
    assert listed.json == []
    names = [event["name"] for event in await list_events(site, "workitem.attachment")]
    assert names == ["workitem.attachment.created", "workitem.attachment.deleted"]


async def test_a_form_that_is_sent_twice_attaches_once_and_another_file_again(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        item = await desk.make_item()
        token = await desk.token()
        for content in (b"hello", b"hello", b"other"):
            assert (await send_file(desk, content, token=token)).status == 303
        listed = await desk.api.get(f"{desk.records}/work-items/{item['id']}/attachments")
    assert [one["size"] for one in listed.json] == [5, 5]
    assert sorted(path.read_bytes() for path in kept(site)) == [b"hello", b"other"]


@pytest.mark.parametrize(
    ("content", "name", "content_type", "said"),
    [
        (b"", "a.txt", "text/plain", "Choose a file that isn&#39;t empty."),
        (b"x" * (MEGABYTE + 1), "a.txt", "text/plain", "Choose a file of at most 1 MB."),
        (b"MZ", "a.exe", "application/x-msdownload", "Invalid file type."),
        (b"#!", "a.sh", "application/octet-stream", "Invalid file type."),
    ],
)
async def test_what_cannot_be_attached_is_said_beside_the_form(
    site: Site, cast: Cast, content: bytes, name: str, content_type: str, said: str
) -> None:
    site.settings.upload_max_mb = 1
    async with at_desk(site, cast) as desk:
        await desk.make_item()
        answer = await send_file(desk, content, name, content_type)
    assert answer.status == 422
    assert said in answer.text
    assert kept(site) == []


async def test_a_full_workspace_takes_no_more(site: Site, cast: Cast) -> None:
    site.settings.workspace_files_mb = 1
    async with at_desk(site, cast) as desk:
        await desk.make_item()
        assert (await send_file(desk, b"x" * MEGABYTE)).status == 303
        full = await send_file(desk, b"y")
    assert (full.status, "may take up 1 MB" in full.text) == (422, True)
    assert len(kept(site)) == 1


async def test_a_guest_sees_files_and_attaches_none(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast, "gil") as desk:
        await desk.make_item()
        assert "Attach a file" not in (await desk.who.get(ITEM)).text
        assert (await send_file(desk, b"hello")).status == 403
    assert kept(site) == []


@pytest.mark.parametrize("token", ["", "0" * 80])
async def test_a_forged_form_attaches_nothing(site: Site, cast: Cast, token: str) -> None:
    async with at_desk(site, cast) as desk:
        await desk.make_item()
        assert (await send_file(desk, b"hello", token=token)).status == 403
    assert kept(site) == []


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"--b--\r\n", b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b--\r\n'],
)
async def test_what_is_no_such_form_is_refused(site: Site, cast: Cast, body: bytes) -> None:
    async with at_desk(site, cast) as desk:
        await desk.make_item()
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        assert (await desk.who.send("POST", ATTACHMENTS, body, headers)).status in (400, 403)
        assert (await desk.post(ATTACHMENTS)).status == 400
    assert kept(site) == []
