"""ETags of answers, and If-None-Match."""

import hashlib

import pytest

from airside.db.large_values import LARGE_TEXT
from airside.rest.etag import MAX_TAGS, make_etag, names_etag
from tests.support.workshop import Workshop, unique

TAG = '"0123456789abcdef"'


@pytest.mark.parametrize(
    "header", [TAG, f"W/{TAG}", f' {TAG} , "other"', f'"a", W/"b",{TAG}', "*", " * ", f"{TAG},"]
)
def test_a_header_that_names_the_tag_is_found(header: str) -> None:
    assert names_etag(header, TAG)


@pytest.mark.parametrize(
    "header", [None, "", '"other"', TAG.strip('"'), f'"{TAG}"', "w/" + TAG, '"*"', ",,,", '"a" ' + TAG]
)
def test_a_header_that_does_not_is_no_match(header: str | None) -> None:
    assert not names_etag(header, TAG)


def test_only_so_many_tags_are_looked_at() -> None:
    others = ",".join(['"x"'] * MAX_TAGS)
    assert not names_etag(f"{others},{TAG}", TAG)


async def test_equal_bytes_have_equal_tags_whatever_their_size() -> None:
    for body in (b"", b"{}", b"x" * (LARGE_TEXT + 1)):
        expected = hashlib.sha256(body).hexdigest()[:32]
        assert await make_etag(body) == await make_etag(bytes(body)) == f'"{expected}"'


@pytest.mark.asyncio(loop_scope="module")
async def test_a_changed_record_has_another_tag_and_an_unchanged_one_is_304(workshop: Workshop) -> None:
    label = await workshop.make("labels", name=unique("Label"))
    path = f"/api/v1/{workshop.path('labels')}/{label['id']}/"
    first = await workshop.ana.raw("GET", path)
    same = await workshop.ana.raw("GET", path, if_none_match=first.headers["etag"])
    assert (same.status_code, same.content) == (304, b"")
    assert "content-type" not in same.headers
    assert same.headers["etag"] == first.headers["etag"]
    assert "x-ratelimit-remaining" in same.headers
    await workshop.ana.patch(workshop.path(f"labels/{label['id']}"), {"color": "#000000"})
    changed = await workshop.ana.raw("GET", path, if_none_match=first.headers["etag"])
    assert changed.status_code == 200
    assert changed.json["color"] == "#000000"
    assert changed.headers["etag"] != first.headers["etag"]


@pytest.mark.asyncio(loop_scope="module")
async def test_the_tag_is_that_of_the_asked_representation(workshop: Workshop) -> None:
    label = await workshop.make("labels", name=unique("Label"))
    path = f"/api/v1/{workshop.path('labels')}/{label['id']}/"
    whole, part = await workshop.ana.raw("GET", path), await workshop.ana.raw("GET", path, {"fields": "id"})
    assert whole.headers["etag"] != part.headers["etag"]
    assert (await workshop.ana.raw("HEAD", path)).headers["etag"] == whole.headers["etag"]


@pytest.mark.asyncio(loop_scope="module")
async def test_an_error_is_an_error_whatever_the_client_has(workshop: Workshop) -> None:
    missing = await workshop.ana.raw("GET", f"/api/v1/{workshop.path('labels')}/none/", if_none_match="*")
    assert missing.status_code == 404
    assert "etag" not in missing.headers
    stranger = f"/api/v1/workspaces/other/projects/{workshop.elsewhere}/labels/"
    assert (await workshop.ana.raw("GET", stranger, if_none_match="*")).status_code == 403
    made = await workshop.ana.raw(
        "POST", f"/api/v1/{workshop.path('labels')}/", body=b'{"name": "tagged"}', if_none_match="*"
    )
    assert made.status_code == 201
    assert "etag" not in made.headers
