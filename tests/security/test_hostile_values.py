"""Nothing that a client sends is an error of ours: hostile values by the kind of place that they stand in, over
every route of the API, every page and every other endpoint."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
import pytest_asyncio

from airside.rest.json_bounds import MAX_VALUES
from airside.rest.route import Route
from tests.cast import REDIRECT_URI
from tests.contract.world import ROUTES, UNKNOWN
from tests.security.hostile.stage import (
    FORM,
    JSON,
    Stage,
    fill,
    form_of,
    list_forms,
    open_stage,
    other_routes,
    parameters,
    query_of,
    routes_with_body,
)
from tests.security.hostile.values import (
    BODIES,
    CREDENTIALS,
    DATES,
    DEPTHS,
    FORMS,
    HEADERS,
    IDS,
    LEAVES,
    NUMBERS,
    QUERIES,
    SEGMENTS,
    TEXTS,
    URLS,
)
from tests.security.hostile.worst import with_fields
from tests.support.calling import Header

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What a field's name says it holds.
KINDS: dict[str, tuple[Any, ...]] = {
    r"url|uri|link|forward_to": URLS,
    r"date|since|until|_at$": DATES,
    r"size|role|duration|sequence|number|estimate": NUMBERS,
}
COUNTED = ("create_webhook", "open_listener")  # what there may be only so many of

# What takes away what other requests are about comes last.
LAST = re.compile(r"delete|uninstall|suspend|end/|revoke|disconnect|withdraw|remove|archive|password")
WORDS = tuple(str(value) for value in (*TEXTS, *NUMBERS, *DATES, *IDS, *URLS))
READ_BY_PAGES = re.compile(r'get_param(?:_as_list)?\("(\w+)"\)')


def names_read_by_pages() -> list[str]:
    """The parameters of every page's query."""
    source = Path(__file__).parents[2] / "airside"
    return sorted(
        {name for file in source.rglob("*.py") for name in READ_BY_PAGES.findall(file.read_text())}
        | {
            "status",
            "event",
            "id",
            "since",
            "until",
            "client_id",
            "redirect_uri",
            "scope",
            "state",
            "code_challenge",
        }
    )


READ_HEADERS = (
    "accept", "accept-encoding", "accept-language", "content-length", "content-type", "expect", "forwarded",
    "hx-request", "if-match", "if-modified-since", "if-none-match", "if-range", "last-event-id", "origin", "range",
    "referer", "te", "traceparent", "transfer-encoding", "user-agent", "via", "x-forwarded-for", "x-forwarded-host",
    "x-forwarded-proto", "x-request-id", "x-http-method-override",
)  # fmt: skip

COOKIES = (b"airside_session", b"airside_guest", b"airside_notice", b"airside_theme")
ASKED = (
    "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method", "response_type",
    "prompt", "resource", "workspace_slug",
)  # fmt: skip

# What each endpoint of the authorization server takes; a value of each grant.
ORIGIN = "http://127.0.0.1:8000"
ENDPOINTS: dict[str, tuple[dict[str, Any], ...]] = {
    "/auth/o/token": (
        {"grant_type": "authorization_code", "code": "x", "redirect_uri": REDIRECT_URI, "code_verifier": "x" * 43},
        {"grant_type": "client_credentials", "app_installation_id": "INSTALLATION", "scope": "read"},
        {"grant_type": "refresh_token", "refresh_token": "pln_refresh_x", "scope": "read", "resource": ORIGIN},
        {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "x"},
    ),
    "/auth/o/revoke-token": ({"token": "x", "token_type_hint": "access_token"},),
    "/auth/o/introspect": ({"token": "x", "token_type_hint": "access_token"},),
    "/auth/o/device": ({"client_id": "airside-cli", "scope": "read", "resource": ORIGIN},),
    "/auth/o/register": (
        {
            "client_name": "X",
            "redirect_uris": ["http://127.0.0.1/cb"],
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "scope": "read",
            "client_uri": "https://x.example",
            "logo_uri": "https://x.example/logo.png",
            "contacts": ["x@x.example"],
            "policy_uri": "https://x.example",
            "tos_uri": "https://x.example",
            "jwks": {"keys": []},
            "software_id": "x",
        },
    ),
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    async with open_stage(request.param, tmp_path_factory.mktemp("hostile")) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def stage(opened: Stage) -> Stage:
    """Whatever an earlier test has done to the records, there is one for every id again."""
    await opened.renew()
    return opened


async def test_av3_no_path_segment_is_an_error_of_ours(stage: Stage) -> None:
    for route in ROUTES:
        known = await stage.world.params(route)
        for path in (route.path, *route.aliases):
            for name in parameters(path):
                for odd in stage.some(f"API {name}", SEGMENTS):
                    await stage.send(
                        route.method,
                        f"/api/v1/{fill(path, known | {name: odd})}",
                        headers=stage.api.headers,
                        body=b"{}",
                    )
    stage.check()


async def test_av3_no_path_segment_of_a_page_is_an_error_of_ours(stage: Stage) -> None:
    for path, methods in other_routes(stage.site):
        for method in methods:
            for name in parameters(path):
                for odd in stage.some(f"{method} {name}", SEGMENTS):
                    body = form_of({"csrf_token": stage.csrf}, {})
                    await stage.send(method, fill(path, stage.known | {name: odd}), "", stage.browser, body)
            for odd in stage.some("after all", SEGMENTS, 1):
                await stage.send(method, fill(path, stage.known) + odd, "", stage.browser)
    for odd in SEGMENTS:
        for start in ("/", "/api/v1/", "/api/", "/auth/o/", "/static/", "/.well-known/"):
            await stage.send("GET", start + odd, headers=stage.browser)
    stage.check()


async def test_av3_no_query_is_an_error_of_ours(stage: Stage) -> None:
    for route in ROUTES:
        path, needed = await stage.path_of(route), query_of(route)
        generic = {"fields", "expand", "order_by", "cursor", "per_page", "external_id", "external_source"}
        for name in (
            sorted({*route.query, *(generic if route.paged else ())}) if route.method == "GET" else ()
        ):
            odd = stage.some(f"{'any' if name in generic else route.name} {name}", WORDS, 8)
            for value in odd:
                query = urlencode(needed | {name: value.encode("utf-8", "surrogatepass")})
                await stage.send("GET", path, query, stage.api.headers)
        for query in stage.some("API query", QUERIES, 1) if route.method in ("GET", "PATCH") else ():
            query += f"&{urlencode(needed)}" if needed else ""  # a stream without it goes on for a minute
            await stage.send(route.method, path, query, stage.api.headers, b"{}")
    stage.check()


async def test_av3_no_query_of_a_page_is_an_error_of_ours(stage: Stage) -> None:
    names = names_read_by_pages()
    assert len(names) > 20
    for path, methods in other_routes(stage.site):
        at = fill(path, stage.known)
        for value in stage.some("all at once", WORDS, 4):
            query = urlencode(dict.fromkeys(names, value.encode("utf-8", "surrogatepass")))
            await stage.send(methods[0], at, query, stage.browser)
        for query in stage.some("page query", QUERIES, 2):
            await stage.send(methods[0], at, query, stage.browser)
    for name in ASKED:
        for value in stage.some(f"asked {name in stage.consent}", WORDS, 20):
            others = stage.consent.replace(f"{name}=", "other=")
            query = f"{others}&{urlencode({name: value.encode('utf-8', 'surrogatepass')})}"
            await stage.send("GET", "/auth/o/authorize-app/", query, stage.browser)
    stage.check()


async def test_av3_no_header_is_an_error_of_ours(stage: Stage) -> None:
    for number, (method, path, query, known) in enumerate(await _list_places(stage)):
        kind = path.split("/")[1]
        for odd in stage.some(f"headers {kind}", HEADERS, 2):
            headers = [(name.encode(), odd) for name in READ_HEADERS]
            await stage.send(method, path, query, [*headers, *known[:1]], b"{}", what=odd)
            one = READ_HEADERS[number % len(READ_HEADERS)].encode()
            await stage.send(method, path, query, [(one, odd), *known], b"{}", what=(one, odd))
        for odd in stage.some(f"credentials {kind}", CREDENTIALS, 2):
            for name in (b"authorization", b"x-api-key"):
                await stage.send(method, path, query, [(name, odd), known[1]], b"{}", what=odd)
            cookies = [(b"cookie", b"; ".join(name + b"=" + odd for name in COOKIES)), (b"cookie", odd)]
            await stage.send(method, path, query, [*cookies, known[1]], b"{}", what=odd)
    stage.check()


async def _list_places(stage: Stage) -> list[tuple[str, str, str, list[Header]]]:
    """Method, path, query and the headers of somebody who may, of everything that is served. Nothing is deleted."""
    places: list[tuple[str, str, str, list[Header]]] = []
    for route in ROUTES:
        known, query = await stage.world.params(route), urlencode(query_of(route))
        if route.method == "DELETE":
            known[parameters(route.path)[-1]] = UNKNOWN
        places.append((route.method, f"/api/v1/{fill(route.path, known)}", query, stage.api.headers))
    for path, methods in other_routes(stage.site):
        places += [(method, fill(path, stage.known), "", stage.browser) for method in methods]
    return places


async def test_av3_no_leaf_of_a_json_body_is_an_error_of_ours(stage: Stage) -> None:
    for route in routes_with_body():
        assert route.body is not None
        fields = [field.encode_name for field in msgspec.structs.fields(route.body)]
        values = [*stage.some(f"body {route.body.__qualname__}", LEAVES, 8, first=25)]
        for sign, kind in KINDS.items():
            if any(re.search(sign, name) for name in fields):
                values += stage.some(f"{sign} of {route.body.__qualname__}", kind, 4)
        for odd in values:
            await _send_in_all(stage, route, fields, odd)
        for raw in stage.some("whole body", BODIES, 4):
            await stage.send(route.method, await stage.path_of(route), "", stage.api.headers, raw)
        if route.method != "POST":
            stage.world.known = {"workspace_slug": "acme"}  # what is left of those is odd now
    stage.check()


async def _send_in_all(stage: Stage, route: Route, fields: list[str], odd: Any) -> None:
    """The value in every field; then without those that were refused, so that each is read as far as it can be."""
    left = list(fields)
    path = await stage.path_of(route)
    while left:
        body = {**(await stage.world.body(route)), **dict.fromkeys(left, odd)}
        raw = json.dumps(body).encode()
        answer = await stage.send(route.method, path, "", stage.api.headers, raw)
        said = answer.json if answer.body else None
        if isinstance(said, dict) and answer.status_code == 201 and route.name in COUNTED:
            await stage.send("DELETE", f"{path}{said['id']}/", "", stage.api.headers)
        refused = [name for name in left if isinstance(said, dict) and name in said]
        if answer.status_code != 400 or len(left) == 1:
            return
        if refused:
            left = [name for name in left if name not in refused]
            continue
        for name in left:
            alone = json.dumps({**(await stage.world.body(route)), name: odd}).encode()
            await stage.send(route.method, path, "", stage.api.headers, alone)
        return


async def test_av3_no_depth_of_a_json_body_is_an_error_of_ours(stage: Stage) -> None:
    for route in routes_with_body():
        assert route.body is not None
        fields = msgspec.structs.fields(route.body)
        open_ended = [
            [one.encode_name] for one in fields if "Any" in str(one.type) or "dict" in str(one.type)
        ]
        path, good = await stage.path_of(route), await stage.world.body(route)
        for depth in DEPTHS:
            for opening, closing in ((b"[", b"]"), (b'{"content":', b"}")):
                deep = opening * depth + b'"x"' + closing * depth
                for names in ([one.encode_name for one in fields], *open_ended):
                    raw = with_fields(good, names, deep)
                    await stage.send(route.method, path, "", stage.api.headers, raw, what=(names, depth))
    for path, bodies in ENDPOINTS.items():
        for depth in DEPTHS:
            for name in bodies[0]:
                raw = with_fields(bodies[0], [name], b"[" * depth + b"]" * depth)
                await stage.send("POST", path, "", [JSON], raw, what=(name, depth))
    stage.check()


async def test_a_body_that_nests_too_deeply_or_holds_too_many_values_is_400_and_says_so(stage: Stage) -> None:
    path = f"/api/v1/workspaces/acme/projects/{await stage.world.known_id('project_id')}/work-items/"
    deep, many = b"[" * 201 + b"]" * 201, b"[" + b"1," * MAX_VALUES + b"1]"
    for value, said in ((deep, "nested deeper than 200 levels"), (many, "more than 50,000 values")):
        raw = with_fields({"name": "x"}, ["description_json"], value)
        answer = await stage.send("POST", path, "", stage.api.headers, raw)
        assert (answer.status_code, answer.json) == (400, {"detail": f"JSON parse error - {said}"})
    fits = with_fields({"name": "x"}, ["description_html"], json.dumps("[{" * 30_000 + '\\"').encode())
    assert (await stage.send("POST", path, "", stage.api.headers, fits)).status_code == 201


async def test_av3_no_parameter_of_the_authorization_server_is_an_error_of_ours(stage: Stage) -> None:
    posting = {
        path
        for path, methods in other_routes(stage.site)
        if "POST" in methods and path.startswith("/auth/o/")
    }
    assert {path for path in posting if not path.startswith("/auth/o/authorize-app")} == set(ENDPOINTS)
    client = {"client_id": stage.cast.client_id, "client_secret": stage.cast.client_secret}
    for path, bodies in ENDPOINTS.items():
        for body in bodies:
            good = client | body
            if "app_installation_id" in good:
                good["app_installation_id"] = stage.cast.installation["id"]
            for name in good:
                kind = path if isinstance(good[name], str) else name
                for odd in stage.some(f"JSON {kind}", LEAVES, 10):
                    await stage.send("POST", path, "", [JSON], json.dumps(good | {name: odd}).encode())
                    if isinstance(good[name], list):
                        sent = good | {name: [*good[name], odd]}
                        await stage.send("POST", path, "", [JSON], json.dumps(sent).encode())
                for word in stage.some(f"form {kind}", WORDS, 10) if isinstance(good[name], str) else ():
                    texts = {key: value for key, value in good.items() if isinstance(value, str)}
                    await stage.send("POST", path, "", [FORM], form_of(texts, {name: word}))
            for raw in BODIES:
                await stage.send("POST", path, "", [JSON], raw)
            for raw in FORMS:
                await stage.send("POST", path, "", [FORM], raw)
    stage.check()


async def test_av3_no_field_of_a_form_is_an_error_of_ours(stage: Stage) -> None:
    forms = await list_forms(stage)
    assert len(forms) > 30, sorted(forms)
    for path, methods in other_routes(stage.site):
        if "POST" in methods and path != "/sign-out":
            for raw in stage.some("form", FORMS, 3):
                await stage.send("POST", fill(path, stage.known), "", stage.browser, raw)
                body = form_of({"csrf_token": stage.csrf}, {}) + b"&" + raw
                if not LAST.search(path):
                    await stage.send("POST", fill(path, stage.known), "", stage.browser, body)
    for action in sorted(forms, key=lambda one: bool(LAST.search(one))):
        if "sign-out" in action:
            continue
        names = [name for name in forms[action] if name != "csrf_token"]
        shape = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", action)
        for odd in stage.some(f"all of {shape}", WORDS, 1, first=3) if names else ():
            await stage.send(
                "POST", action, "", stage.browser, form_of(forms[action], dict.fromkeys(names, odd))
            )
        for name in names:
            for odd in stage.some(f"field {name}", WORDS, 1, first=6):
                await stage.send("POST", action, "", stage.browser, form_of(forms[action], {name: odd}))
    stage.check()


async def test_av3_what_was_stored_of_it_breaks_nothing_that_shows_it(stage: Stage) -> None:
    base = f"workspaces/acme/projects/{await stage.world.known_id('project_id')}"
    item = f"{base}/work-items/{await stage.world.known_id('work_item_id')}"
    for odd in (*TEXTS, *URLS):
        for path, body in (
            (f"{base}/work-items", {"name": odd, "description_html": f"<p>{odd}</p>"}),
            (f"{base}/labels", {"name": odd}),
            (f"{base}/pages", {"name": odd, "description_html": f"<a href='{odd}'>x</a>"}),
            (f"{item}/comments", {"comment_html": f"<p>{odd}</p>"}),
            (f"{item}/links", {"url": odd, "title": odd}),
        ):
            await stage.send("POST", f"/api/v1/{path}/", "", stage.api.headers, json.dumps(body).encode())
    for route in ROUTES:
        if route.method == "GET":
            query = urlencode(query_of(route) | ({"per_page": "100"} if route.paged else {}))
            await stage.send("GET", await stage.path_of(route), query, stage.api.headers)
    for path, methods in other_routes(stage.site):
        if "GET" in methods:
            await stage.send("GET", fill(path, stage.known), "", stage.browser)
    stage.check()
