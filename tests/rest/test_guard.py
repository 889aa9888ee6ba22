"""What stands before every operation, in its order: credential, rate, workspace, project, scope, role, person."""

from typing import Any

import pytest

from airside.db.base import new_id
from airside.rest.call import Call
from airside.rest.endpoint import MAX_BODY_BYTES
from airside.rest.record import ADMIN, MEMBER
from airside.rest.route import Route
from airside.rest.wires.v1.paths import WORKSPACE
from airside.work.projects.labels import LABELS_V1
from tests.support.api import serve_api
from tests.support.calling import call
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

NO_RIGHT = {"detail": "You do not have permission to perform this action."}


async def ring(call: Call) -> Any:
    return {"role": call.role, "project": call.project.get("id")}


def bell(path: str, **options: Any) -> Route:
    return Route(
        method="POST",
        path=WORKSPACE + path,
        handler=ring,
        scope=options.pop("scope", None),
        name=path,
        **options,
    )


BELLS = (
    bell("bell"),
    bell("projects/{project_id}/bell"),
    bell("scoped", scope="projects.labels:write"),
    bell("admins", role=ADMIN),
    bell("projects/{project_id}/admins", role=ADMIN),
    bell("projects/{project_id}/members", role=MEMBER),
    bell("people", people_only=True),
)


async def test_a_role_is_that_of_the_workspace_or_where_the_url_names_one_of_the_project(
    workshop: Workshop,
) -> None:
    made = await workshop.ben.post(
        "workspaces/acme/projects", {"name": unique("Ben's"), "identifier": unique("G")}
    )
    bens, api = made.json["id"], serve_api(workshop.site, *BELLS)
    async with api.acting_as(workshop.cast.ben["id"]) as ben:
        assert (await ben.post("workspaces/acme/bell")).json == {"role": 15, "project": None}
        assert (await ben.post("workspaces/acme/admins")).status_code == 403
        for project, role, status in ((bens, 20, 200), (workshop.engine, 15, 403)):
            rung = (await ben.post(f"workspaces/acme/projects/{project}/bell")).json
            assert rung == {"role": role, "project": project}
            answer = await ben.post(f"workspaces/acme/projects/{project}/admins")
            assert answer.status_code == status
    async with api.acting_as(workshop.cast.gil["id"]) as gil:
        refused = await gil.post(f"workspaces/acme/projects/{workshop.engine}/members")
        assert (refused.status_code, refused.json) == (403, NO_RIGHT)


async def test_a_workspace_that_is_not_ones_own_is_as_one_that_is_not_there(workshop: Workshop) -> None:
    async with serve_api(workshop.site, *BELLS).acting_as(workshop.cast.zoe["id"]) as zoe:
        for slug in ("acme", "nowhere"):
            for path in ("bell", f"projects/{workshop.engine}/bell", "scoped", "admins", "people"):
                answer = await zoe.post(f"workspaces/{slug}/{path}")
                assert (answer.status_code, answer.json) == (403, NO_RIGHT), (slug, path)
        for project in (workshop.engine, new_id()):
            assert (await zoe.post(f"workspaces/other/projects/{project}/bell")).status_code == 404


async def test_br3_a_token_does_what_its_scopes_name_and_a_key_everything(workshop: Workshop) -> None:
    api, ana = serve_api(workshop.site, *BELLS), workshop.cast.ana["id"]
    expected = {
        None: 200,
        frozenset({"projects.labels:write"}): 200,
        frozenset({"projects.labels:read", "projects:write"}): 403,
        frozenset[str](): 403,
    }
    for scopes, status in expected.items():
        async with api.acting_as(ana, scopes=scopes) as client:
            answer = await client.post("workspaces/acme/scoped")
            assert answer.status_code == status, scopes
            assert (await client.post("workspaces/acme/bell")).status_code == 200
    assert 'scope="projects.labels:write"' in answer.headers["www-authenticate"]
    assert answer.json == {"detail": "This token lacks the scope projects.labels:write."}


async def test_a_bot_does_not_do_what_is_for_people(workshop: Workshop) -> None:
    api, ana = serve_api(workshop.site, *BELLS), workshop.cast.ana["id"]
    for kind, status in (("bot", 403), ("user", 200), ("api_key", 200), ("session", 200)):
        async with api.acting_as(ana, kind=kind) as client:
            assert (await client.post("workspaces/acme/people")).status_code == status, kind
            assert (await client.post("workspaces/acme/bell")).status_code == 200


async def test_a_caller_refused_for_several_reasons_gets_the_first(workshop: Workshop) -> None:
    async with serve_api(workshop.site, *BELLS).acting_without() as nobody:
        for path in ("acme/bell", "nowhere/bell", "acme/projects/no-id/bell"):
            answer = await nobody.post(f"workspaces/{path}")
            assert answer.status_code == 401
    api = serve_api(workshop.site, *BELLS)
    async with api.acting_as(workshop.cast.gil["id"], scopes=frozenset(), kind="bot") as gil:
        assert (await gil.post("workspaces/nowhere/projects/no-id/bell")).status_code == 404
        assert (await gil.post(f"workspaces/acme/projects/{new_id()}/admins")).status_code == 404
        assert "lacks the scope" in (await gil.post("workspaces/acme/scoped")).json["detail"]


async def test_an_id_that_is_none_is_no_page(workshop: Workshop) -> None:
    for one in ("x", "1", new_id() + "0", new_id().replace("-", "_"), "%00"):
        for method in ("GET", "PATCH", "DELETE"):
            answer = await workshop.ana.send(
                method, workshop.path(f"labels/{one}"), {} if method == "PATCH" else None
            )
            assert (answer.status_code, answer.json) == (404, {"error": "Page not found."})


async def test_op3_requests_of_one_budget_are_counted_together_up_to_the_limit(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workshop.site.settings, "api_rate_limit", "3/minute")
    api, ana = serve_api(workshop.site, *BELLS), workshop.cast.ana["id"]
    async with api.acting_as(ana, budget="shared") as one, api.acting_as(ana, budget="shared") as other:
        answers = [await client.post("workspaces/acme/bell") for client in (one, other, one, other, one)]
        async with api.acting_as(ana, budget="own") as third:
            assert (await third.post("workspaces/acme/bell")).status_code == 200
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers[:3]] == ["2", "1", "0"]
    assert int(answers[3].headers["retry-after"]) > 0
    assert answers[3].json["error_message"] == "RATE_LIMIT_EXCEEDED"


async def test_another_method_is_405_with_the_allowed_ones(workshop: Workshop) -> None:
    answer = await workshop.ana.put(workshop.path("labels"), {})
    assert (answer.status_code, answer.json) == (405, {"detail": 'Method "PUT" not allowed.'})
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


async def test_a_client_that_accepts_no_json_gets_406(workshop: Workshop) -> None:
    for accept, status in (
        ("text/html", 406),
        ("application/json", 200),
        ("text/html, */*;q=0.1", 200),
        ("", 200),
    ):
        answer = await workshop.ana.conductor.simulate_get(
            f"/api/v1/{workshop.path('labels')}/", headers={"Authorization": "Bearer 0", "Accept": accept}
        )
        assert answer.status_code == status, accept


async def test_a_body_beyond_the_bound_is_not_read_whatever_its_length_says(workshop: Workshop) -> None:
    api = serve_api(workshop.site, LABELS_V1)
    async with api.acting_as(workshop.cast.ana["id"]):
        path, bearer = f"/api/v1/{workshop.path('labels')}", (b"authorization", b"Bearer 0")
        body = b'{"name": "' + b"x" * MAX_BODY_BYTES + b'"}'
        for more_headers in ([], [(b"content-length", str(len(body)).encode())]):
            answer = await call(api.app, "POST", path, headers=[bearer, *more_headers], body=body)
            assert (answer.status_code, answer.json["error"]) == (413, "REQUEST_BODY_TOO_LARGE")
        fitting = b'{"name": "Fits"}' + b" " * (MAX_BODY_BYTES - 16)
        assert (await call(api.app, "POST", path, headers=[bearer], body=fitting)).status_code == 201


async def test_a_query_is_what_a_database_can_hold_and_the_last_one_counts(workshop: Workshop) -> None:
    path = workshop.path("labels")
    for query in ({"fields": "\x00"}, {"order_by": "x\x00"}, {"nothing": ["x", "\x00"]}):
        answer = await workshop.ana.get(path, **query)
        assert (answer.status_code, list(answer.json)) == (400, list(query))
    twice = await workshop.ana.get(path, per_page=["1", "2"])
    assert twice.json["next_cursor"] == "2:1:0"


async def test_each_answer_is_counted_by_its_class_and_for_the_app_that_called(workshop: Workshop) -> None:
    site, app_id = workshop.site, new_id()
    api, workspace_id = serve_api(site, *BELLS), workshop.cast.acme["id"]
    site.counters.take()
    site.app_calls.take()
    by_app = {"scopes": frozenset[str](), "app_id": app_id, "workspace_id": workspace_id}
    async with api.acting_as(workshop.cast.ana["id"], **by_app) as client:
        await client.post("workspaces/acme/bell")
        await client.post("workspaces/acme/scoped")
    async with api.acting_as(workshop.cast.ana["id"]) as person:
        await person.post("workspaces/acme/bell")
    counted = {
        label: n for (name, label), n in site.counters.take().items() if name == "airside_api_requests"
    }
    assert counted == {"2xx": 2, "4xx": 1}
    assert list(site.app_calls.take().items()) == [((workspace_id, app_id), (2, 1))]
