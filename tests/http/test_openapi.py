"""The served description of the API: made once, the same each time, and not sent again to who has it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

import airside.app
from airside.api.served import APIS
from airside.app import create_app
from airside.runtime.site import Site
from tests.support.edge import Edge, RawAnswer, open_edge

PATH = "/api/openapi.json"


@pytest.fixture
async def edge(site: Site) -> AsyncIterator[Edge]:
    async with open_edge(create_app(site)) as opened:
        yield opened


async def get(edge: Edge, headers: str = "", method: str = "GET") -> RawAnswer:
    return await edge.ask(
        f"{method} {PATH} HTTP/1.1\r\nHost: a\r\n{headers}Connection: close\r\n\r\n".encode()
    )


async def test_it_is_built_once_for_concurrent_requests(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def describe(origin: str) -> dict[str, Any]:
        made.append(origin)
        return APIS[0].describe(origin)

    monkeypatch.setattr(airside.app, "APIS", (APIS[0]._replace(describe=describe), *APIS[1:]))
    async with open_edge(create_app(site)) as edge:
        answers = await asyncio.gather(*(get(edge) for _ in range(12)))
    assert made == [site.settings.origin]
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert json.loads(answers[0].body)["servers"] == [{"url": site.settings.origin}]
    assert answers[0].headers["content-type"] == "application/json"


async def test_a_client_with_the_current_version_gets_304(edge: Edge) -> None:
    whole = await get(edge)
    etag = whole.headers["etag"]
    assert whole.headers["cache-control"] == "public, max-age=300"
    for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        answer = await get(edge, f"If-None-Match: {known}\r\n")
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", etag), known
    for other in ('"other"', "no tag at all", ""):
        answer = await get(edge, f"If-None-Match: {other}\r\n")
        assert (answer.status, answer.body) == (200, whole.body), other
    head = await get(edge, method="HEAD")
    assert (head.status, head.body, head.headers["etag"]) == (200, b"", etag)


async def test_v2_serves_its_description_without_a_credential(edge: Edge, site: Site) -> None:
    answer = await edge.ask(b"GET /api/v2/schema/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    document = json.loads(answer.body)
    assert (answer.status, document["openapi"]) == (200, "3.1.0")
    assert document == APIS[1].describe(site.settings.origin)
