"""AV1: no step of the event loop takes more than 20 ms of processor time for what a client sent, measured step by
step under the largest values that the bounds let through. docs/decisions/0024 says how it is measured."""

import asyncio
import gc
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode

import pytest
import pytest_asyncio
import sqlalchemy as sa

from airside.cli.process import spare_collector
from airside.db.base import new_id
from airside.rest.body import fields_of
from airside.rest.filters import filters_of
from airside.rest.route import Route
from airside.work.pages.tables import pages
from airside.work.projects.labels import labels
from airside.work.projects.states import states
from airside.work.projects.tables import projects
from airside.work.work_items.comments import comments
from airside.work.work_items.links import links
from airside.work.work_items.tables import work_items
from airside.work.work_items.work_items import WORK_ITEMS_V1
from airside.work.work_items.worklogs import worklogs
from tests.contract.test_filters import filters_in
from tests.contract.world import ROUTES
from tests.security.hostile.stage import (
    FORM,
    JSON,
    Stage,
    fill,
    form_of,
    list_forms,
    open_stage,
    other_routes,
    query_of,
    routes_with_body,
)
from tests.security.hostile.worst import FILLINGS, TEXTS, Filling, with_fields
from tests.security.test_hostile_values import ASKED, ENDPOINTS, LAST, names_read_by_pages
from tests.support.calling import Called, Header, call
from tests.support.steps import Steps, limit, measured_steps

# Each test tries every value at every route; a busy machine takes longer than the two minutes that others have.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(360)]

TRIES = 3  # the best counts: a processor that is shared is slower for a moment


class Asked(NamedTuple):
    """A request, as it can be sent once."""

    method: str
    path: str
    query: str = ""
    headers: list[Header] = []
    body: bytes = b""


class Heavy:
    """Sends requests in tasks of their own, and keeps those with a step that was too long."""

    def __init__(self, stage: Stage, steps: Steps) -> None:
        self.stage, self._steps = stage, steps
        self.over: list[str] = []
        self.longest = 0.0

    async def send(self, what: str, make: Callable[[], Awaitable[Asked]]) -> Called:
        """`make` creates the same request again, with names of its own, where it has to be measured again."""
        answer, seconds, name = await self._measure(await make())
        for _ in range(TRIES - 1):
            if seconds <= limit():
                break
            again, less, _ = await self._measure(await make())
            if again.status_code == answer.status_code:
                seconds = min(seconds, less)
        self.longest = max(self.longest, seconds)
        if seconds > limit():
            self.over.append(f"{seconds * 1000:3.0f} ms, {answer.status_code}, {name}: {what}")
        return answer

    async def _measure(self, asked: Asked) -> tuple[Called, float, str]:
        self._steps.take_worst()
        answer = await asyncio.create_task(self._send(asked))
        worst = self._steps.take_worst()
        return answer, worst.seconds, worst.name

    async def _send(self, asked: Asked) -> Called:
        return await self.stage.send(*asked)

    def check(self) -> None:
        over, self.over = self.over, []
        assert not over, f"{len(over)} steps over {limit() * 1000:.0f} ms:\n" + "\n".join(sorted(over)[::-1])
        self.stage.check()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Heavy]:
    async with open_stage(request.param, tmp_path_factory.mktemp("steps")) as stage:
        stage.takes_samples = request.param != "sqlite"  # what reads requests is the same on both
        with measured_steps() as steps, spared_collector():
            yield Heavy(stage, steps)


@pytest_asyncio.fixture(loop_scope="module")
async def heavy(opened: Heavy) -> Heavy:
    """With records that no earlier test has made long."""
    await opened.stage.renew()
    return opened


@contextmanager
def spared_collector() -> Generator[None]:
    """As in `airside serve`."""
    usual = gc.get_threshold()
    spare_collector()
    try:
        yield
    finally:
        gc.set_threshold(*usual)


GENERIC = ("fields", "expand", "order_by", "cursor", "per_page", "external_id", "external_source")
# Whole query strings.
QUERIES = (
    "a=1&" * 8_000, "&" * 32_000, "a=" + "%41" * 10_000, "%41" * 10_000, "a," * 16_000, "a=" + "a," * 16_000,
    "".join(f"a{number}&" for number in range(5_000)), "%" * 32_000, "%ff" * 10_000, "+" * 32_000,
)  # fmt: skip


async def test_av1_no_query_of_the_api_holds_up_the_event_loop(heavy: Heavy) -> None:
    stage = heavy.stage
    for route in ROUTES:
        path, needed = await stage.path_of(route), query_of(route)
        if route.method == "GET":
            filters = ITEM_FILTERS if route.name == "count_work_items" else filters_in(route)
            for name in sorted({*route.query, *(GENERIC if route.paged else ())}):
                for what in stage.some(reader_of(route, name, filters.get(name)), WORDS, 2):
                    query = query_with(needed, name, what)
                    await heavy.send(
                        f"{route.name}?{name} of {what}", _same("GET", path, query, stage.api.headers)
                    )
            for query in stage.some("API query", QUERIES, 1):
                query = "&".join(filter(None, (urlencode(needed), query)))[:32_000]
                await heavy.send(f"{route.name}?{query[:20]}", _same("GET", path, query, stage.api.headers))
    heavy.check()


def query_with(others: Mapping[str, str], name: str, what: str) -> str:
    """A query string of the length that servers take, with one of the texts as this parameter."""
    kept = urlencode({key: value for key, value in others.items() if key != name})
    return "&".join(filter(None, (kept, f"{name}={_encode(what)}")))[:32_000]


@cache
def _encode(what: str) -> str:
    """Percent-encoding takes longer than most answers."""
    return quote_plus(TEXTS[what])[:32_000]


WORDS = tuple(TEXTS)
ITEM_FILTERS = filters_of(WORK_ITEMS_V1).kinds


def reader_of(route: Route, name: str, kind: Any) -> str:
    """What reads a parameter: the engine, a kind of filter on one kind of column, or whatever reads parameters that
    are declared like it."""
    if name in GENERIC:
        return f"any {name}"
    if kind is None:
        return f"{name} of {route.query[name]}"
    return " ".join(type(one).__name__ for one in (kind, getattr(kind, "kind", None), kind.link) if one)


def _same(*asked: Any) -> Callable[[], Awaitable[Asked]]:
    async def make() -> Asked:
        return Asked(*asked)

    return make


async def test_av1_no_query_of_a_page_holds_up_the_event_loop(heavy: Heavy) -> None:
    stage = heavy.stage
    for path, methods in other_routes(stage.site):
        if "GET" not in methods:
            continue
        at = fill(path, stage.known)
        for name in stage.some("names", tuple(names_read_by_pages()), 6):
            for what in stage.some(f"{path if name in 'q' else ''} {name}", WORDS, 1, first=6):
                query = query_with({}, name, what)
                await heavy.send(f"{path}?{name} of {what}", _same("GET", at, query, stage.browser))
        for query in stage.some("page query", QUERIES, 1):
            await heavy.send(f"{path}?{query[:20]}", _same("GET", at, query, stage.browser))
    for name in ASKED:
        for what in WORDS:
            query = f"{stage.consent.replace(f'{name}=', 'other=')}&{query_with({}, name, what)}"[:32_000]
            await heavy.send(
                f"authorize?{name} of {what}", _same("GET", "/auth/o/authorize-app/", query, stage.browser)
            )
    heavy.check()


async def test_av1_no_parameter_of_the_authorization_server_holds_up_the_event_loop(heavy: Heavy) -> None:
    stage = heavy.stage
    client = {"client_id": stage.cast.client_id, "client_secret": stage.cast.client_secret}
    for path, bodies in ENDPOINTS.items():
        for body in bodies:
            good = client | body
            for name in good:
                for what in stage.some("parameters", WORDS, 4):
                    part = TEXTS[what][:15_000]
                    raw = json.dumps(good | {name: [part] if isinstance(good[name], list) else part}).encode()
                    await heavy.send(f"{path} with {what} in {name}", _same("POST", path, "", [JSON], raw))
                    texts = {key: value for key, value in good.items() if isinstance(value, str)}
                    raw = form_of(texts, {name: part})[:16_000]
                    await heavy.send(f"{path} with {what} as {name}", _same("POST", path, "", [FORM], raw))
                raw = with_fields(
                    good, [name], json.dumps([f"http://127.0.0.1/{n}" for n in range(600)]).encode()
                )
                await heavy.send(
                    f"{path} with a long list in {name}", _same("POST", path, "", [JSON], raw[:16_384])
                )
            for what, raw in {
                "fields": b"a=1&" * 4_000,
                "lists": b"[" * 16_000,
                "names": _object(1_000),
                "escapes": b"%41" * 5_000,
            }.items():
                for kind in (JSON, FORM):
                    await heavy.send(f"{path} with many {what}", _same("POST", path, "", [kind], raw))
    heavy.check()


def _object(count: int) -> bytes:
    return json.dumps({f"n{number}": "x" for number in range(count)}).encode()


HEADERS = {
    "letters": b"x" * 60_000, "commas": b"," * 60_000, "addresses": b"10.0.0.1," * 6_600, "spaces": b" " * 60_000,
    "cookies": b"a=b; " * 12_000, "a quote": b'a="' + b"\\" * 60_000, "quotes": b'"' * 60_000,
    "equals": b"=" * 60_000, "escapes": b"%41" * 20_000, "types": b"*/*;q=0.1," * 6_000, "high": b"\xff" * 60_000,
    "names": b"".join(b"a%d=b; " % number for number in range(6_000)), "digits": b"9" * 60_000,
    "semicolons": b";" * 60_000, "Basic": b"Basic " + b"QUJD" * 15_000, "Bearer": b"Bearer " + b"x" * 60_000,
}  # fmt: skip
READ_HEADERS = (
    "accept", "accept-encoding", "accept-language", "authorization", "content-length", "content-type", "cookie",
    "forwarded", "hx-request", "if-modified-since", "if-none-match", "last-event-id", "origin", "range", "referer",
    "user-agent", "x-api-key", "x-forwarded-for", "x-forwarded-proto", "x-request-id",
)  # fmt: skip


async def test_av1_no_header_holds_up_the_event_loop(heavy: Heavy) -> None:
    stage = heavy.stage
    item = "/api/v1/workspaces/acme/projects/"
    places: tuple[tuple[str, str, list[Header]], ...] = (
        ("GET", item, stage.api.headers), ("POST", item, stage.api.headers), ("GET", "/profile/", stage.browser),
        ("POST", "/profile/", stage.browser), ("POST", "/auth/o/token/", [FORM]), ("GET", "/static/x", []),
        ("POST", "/auth/o/introspect/", [JSON]), ("GET", "/auth/o/authorize-app/", stage.browser),
        ("GET", "/sign-in/", []), ("GET", "/metrics", []),
    )  # fmt: skip
    for method, path, known in places:
        for name in READ_HEADERS:
            for what in stage.some(f"header {name}", tuple(HEADERS), 2):
                value = HEADERS[what]
                sent = [(name.encode(), value), *(one for one in known if one[0] != name.encode())]
                asked = _same(method, path, "", sent, b"{}")
                await heavy.send(f"{method} {path} with {what} in {name}", asked)
        many = [(b"x-%d" % number, b"y") for number in range(8_000)]
        await heavy.send(
            f"{method} {path} with many headers", _same(method, path, "", [*many, *known], b"{}")
        )
    heavy.check()


async def test_av1_no_body_of_the_api_holds_up_the_event_loop(heavy: Heavy) -> None:
    """Each kind of field gets every value in the first body that has one, and some in each other body."""
    for route in routes_with_body():
        tried = {what for kind in kinds_in(route) for what in heavy.stage.some(kind, tuple(FILLINGS), 2)}
        for what in sorted(tried):
            await _send_in_every_field(heavy, route, what, FILLINGS[what])
    heavy.check()


def kinds_in(route: Route) -> set[str]:
    """The types of those fields of its body that take JSON, or a text longer than a name."""
    fields = fields_of(route.body) if route.body else ()
    long = (
        str(one.type) for one in fields if one.json_bytes or re.search(r"max_length=\d{4}", str(one.type))
    )
    return {re.sub(r"typing\.Optional\[(.*)\]$", r"\1", kind) for kind in long} or {"short fields"}


async def _send_in_every_field(heavy: Heavy, route: Route, what: str, filling: Filling) -> None:
    """What is refused is left out of the next request, so that the rest is stored."""
    assert route.body is not None
    left = [field.name for field in fields_of(route.body)]
    world = heavy.stage.world
    for _ in range(6):
        names = list(left)
        value = filling(max(len(names), 1))

        async def make(names: list[str] = names, value: bytes = value) -> Asked:
            raw = with_fields(await world.body(route), names, value)
            return Asked(route.method, await heavy.stage.path_of(route), "", heavy.stage.api.headers, raw)

        answer = await heavy.send(f"{route.name} with {what} in {', '.join(names)}", make)
        said = answer.json if answer.body else None
        refused = [one for one in left if isinstance(said, dict) and one in said]
        if answer.status_code != 400 or not refused:
            return
        left = [one for one in left if one not in refused]


COPIED = (work_items, comments, labels, projects, states, pages, links, worklogs)
ROWS = 1_000  # as many as a page of a list may have


async def test_av1_nothing_that_shows_much_of_what_was_written_holds_up_the_event_loop(heavy: Heavy) -> None:
    stage = heavy.stage
    await stage.renew()
    await stage.api.post(f"workspaces/acme/projects/{stage.known['project_id']}/work-items", {"name": "x"})
    for table in COPIED:
        await _copy_newest(stage, table)
    await _read_everything(heavy, "a thousand")
    await stage.renew()
    known = stage.known
    base = f"/api/v1/workspaces/acme/projects/{known['project_id']}"
    item = f"{base}/work-items/{stage.world.known['work_item_id']}"
    for what in ("markup at its bound", "mentions"):
        raw = with_fields({}, ["description_html"], FILLINGS[what](1))
        for path in (f"{base}/", f"{item}/", f"{base}/pages/{known['page_id']}/"):
            assert (await stage.send("PATCH", path, "", stage.api.headers, raw)).status_code == 200, (
                path,
                what,
            )
        raw = with_fields({}, ["comment_html"], FILLINGS[what](1))
        assert (await stage.send("POST", f"{item}/comments/", "", stage.api.headers, raw)).status_code == 201
        await _read_everything(heavy, what)
    heavy.check()


async def _read_everything(heavy: Heavy, what: str) -> None:
    stage = heavy.stage
    for route in ROUTES:
        if route.method == "GET":
            path = await stage.path_of(route)
            most = "1000" if route.face is None else str(route.face.page_limit)
            for size in {most, "100"} if route.paged else {""}:
                query = urlencode(query_of(route) | ({"per_page": size} if size else {}))
                await heavy.send(
                    f"{route.name} of {size} with {what}", _same("GET", path, query, stage.api.headers)
                )
    for path, methods in other_routes(stage.site):
        if "GET" in methods and not path.endswith("/live"):
            query = stage.consent if path.startswith("/auth/o/authorize-app") else ""
            headers = [*stage.browser, (b"accept-encoding", b"gzip")]
            await heavy.send(f"{path} with {what}", _same("GET", fill(path, stage.known), query, headers))


async def _copy_newest(stage: Stage, table: sa.Table) -> None:
    """A thousand like the newest record, each with a text of some length."""
    row = max(await stage.site.db.find_all(table), key=lambda one: one["id"], default=None)
    if row is None:
        return
    async with stage.site.db.transaction() as tx:
        for number in range(ROWS):
            texts = {name: f"<p>{'x ' * 1_500}</p>" for name in row if name.endswith("_html")}
            own = {"name": f"n{number}", "identifier": f"N{number}", "url": f"https://x.example/{number}",
                   "sequence_id": 1_000 + number, "external_id": None}  # fmt: skip
            own = {name: value for name, value in own.items() if name in row}
            await tx.insert(table, row | texts | own | {"id": new_id()})


async def test_av1_health_answers_within_half_a_second_while_the_heaviest_is_read(heavy: Heavy) -> None:
    """Threads hold the interpreter too, and here other processes count: so the best of three."""
    stage = heavy.stage
    path = f"/api/v1/workspaces/acme/projects/{await stage.world.known_id('project_id')}/work-items/"
    bodies = [
        with_fields({"name": "x"}, ["description_html", "labels"][:count], FILLINGS[what](count))
        for what in FILLINGS
        for count in (1, 2)
    ]
    slowest: list[float] = []
    for _ in range(TRIES):
        sent = [
            asyncio.create_task(call(stage.app, "POST", path, "", stage.api.headers, raw))
            for raw in bodies[::3]
        ]
        waits: list[float] = []
        while not all(one.done() for one in sent):
            begun = time.monotonic()
            assert (await call(stage.app, "GET", "/healthz")).status_code == 200
            waits.append(time.monotonic() - begun)
            await asyncio.sleep(0.005)
        slowest.append(max(waits))
        if slowest[-1] < HEALTH_SECONDS:
            return
    raise AssertionError(slowest)


HEALTH_SECONDS = 0.5


async def test_av1_no_form_holds_up_the_event_loop(heavy: Heavy) -> None:
    stage = heavy.stage
    forms = await list_forms(stage)
    for action in sorted(forms, key=lambda one: bool(LAST.search(one))):
        if "sign-out" in action:
            continue
        names = [name for name in forms[action] if name != "csrf_token"]
        for what in stage.some("forms", tuple(TEXTS), 3) if names else ():
            part = TEXTS[what][: 60_000 // len(names)]
            body = form_of(forms[action], dict.fromkeys(names, part))
            await heavy.send(f"{action} with {what} in all", _same("POST", action, "", stage.browser, body))
        for name in names:
            for what in stage.some(f"field {name}", tuple(TEXTS), 1, first=4):
                body = form_of(forms[action], {name: TEXTS[what]})[:64_000]
                await heavy.send(
                    f"{action} with {what} in {name}", _same("POST", action, "", stage.browser, body)
                )
        for name in () if stage.takes_samples else LONG_FIELDS.intersection(names):
            for what in stage.some("long texts", tuple(TEXTS), 2, first=4):
                body = form_of(forms[action], {name: TEXTS[what] * 5})
                await heavy.send(f"{action} with long {what}", _same("POST", action, "", stage.browser, body))
        for what, headers, body in stage.some(
            "odd forms", tuple(_odd_forms(forms[action], stage.browser)), 1, 7
        ):
            await heavy.send(f"{action} with {what}", _same("POST", action, "", headers, body))
    heavy.check()


LONG_FIELDS = {"text", "description"}  # of forms in which people write


def _odd_forms(fields: dict[str, str], browser: list[Header]) -> Iterator[tuple[str, list[Header], bytes]]:
    good = form_of(fields, {})
    yield "many fields", browser, good + b"&x=1" * 12_000
    yield "one long name", browser, good + b"&" + b"x" * 60_000
    yield "escapes", browser, good + b"&x=" + b"%41" * 20_000
    multipart = [browser[0], (b"content-type", b"multipart/form-data; boundary=b")]
    part = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    sent = b"".join(part % (name.encode(), value.encode()) for name, value in fields.items())
    for what, more in {
        "many parts": part % (b"x", b"1") * 20_000,
        "as many parts as fit": part % (b"x", b"1" * 6_000) * 290,
        "a part without an end": b"--b\r\n" + b"x: y\r\n" * 200_000,
        "lines that nearly end": part % (b"x", b"\r\n--a" * 300_000),
        "a long header": b"--b\r\nContent-Disposition: form-data; name=" + b'"' * 1_900_000,
    }.items():
        yield what, multipart, (sent + more + b"--b--\r\n")[: 2 * 1024 * 1024]
