"""The official Python SDK, unmodified: OAuthClient for every grant, PlaneClient for every method of phase 1."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from plane import OAuthClient, PlaneClient
from plane.errors import HttpError
from plane.models.labels import CreateLabel, UpdateLabel
from plane.models.pages import CreatePage
from plane.models.projects import CreateProject, ProjectFeature, UpdateProject
from plane.models.query_params import WorkItemQueryParams
from plane.models.states import CreateState, UpdateState
from plane.models.users import UserAssetUploadRequest
from plane.models.work_items import (
    AdvancedSearchWorkItem,
    CreateWorkItem,
    CreateWorkItemComment,
    CreateWorkItemLink,
    UpdateWorkItem,
    UpdateWorkItemComment,
    UpdateWorkItemLink,
)
from plane.models.workspaces import WorkspaceFeature

from tests.journeys.conftest import REDIRECT_URI, Stage

Tried = Callable[[str], None]


@dataclass
class Grants:
    """Courier, installed, with every kind of credential."""

    stage: Stage
    oauth: OAuthClient
    installation_id: str
    bot: Any
    user: Any
    api_key: str

    def client(self, kind: str) -> PlaneClient:
        base_url = self.stage.base_url
        if kind == "api_key":
            return PlaneClient(base_url=base_url, api_key=self.api_key)
        token = {"bot": self.bot, "user": self.user}[kind].access_token
        return PlaneClient(base_url=base_url, access_token=token)


@pytest.fixture(scope="module")
def grants(stage: Stage) -> Grants:
    oauth = OAuthClient(base_url=stage.base_url, client_id=stage.client_id, client_secret=stage.client_secret)
    url = oauth.get_authorization_url(redirect_uri=REDIRECT_URI, scope="read write", state="s+&%ü")
    called = stage.ana.consent(url, "acme")
    assert called["state"] == "s+&%ü"
    user = oauth.exchange_code(code=called["code"], redirect_uri=REDIRECT_URI)
    bot = oauth.get_client_credentials_token(app_installation_id=called["app_installation_id"])
    key = stage.instance.cli("token", "create", "--user", "ana@example.com", "--expires-in-days", "1")[
        "token"
    ]
    return Grants(stage, oauth, called["app_installation_id"], bot, user, key)


def test_every_grant_answers_with_what_the_sdk_reads(grants: Grants) -> None:
    assert grants.user.access_token.startswith("pln_")
    assert grants.user.refresh_token.startswith("pln_refresh_")
    assert grants.bot.access_token.startswith("pln_bot_")
    assert grants.bot.refresh_token is None
    for token in (grants.user, grants.bot):
        assert (token.token_type, token.expires_in) == ("Bearer", 86400)
        assert {"read", "write"} <= set(token.scope.split())


def test_a_refreshed_token_works_and_a_revoked_one_does_not(grants: Grants) -> None:
    called = grants.stage.ana.consent(grants.stage.authorize_url(scope="read write"), "acme")
    first = grants.oauth.exchange_code(code=called["code"], redirect_uri=REDIRECT_URI)
    second = grants.oauth.refresh_token(first.refresh_token)
    assert second.refresh_token != first.refresh_token
    client = PlaneClient(base_url=grants.stage.base_url, access_token=second.access_token)
    assert client.users.get_me().email == "ana@example.com"
    grants.oauth.revoke_token(second.access_token)
    with pytest.raises(HttpError) as refused:
        client.users.get_me()
    assert refused.value.status_code == 401


@pytest.mark.parametrize("kind", ["bot", "user", "api_key"])
def test_every_method_of_phase_1_works(grants: Grants, kind: str) -> None:
    client = grants.client(kind)
    me = client.users.get_me()
    assert (me.email == "ana@example.com") == (kind != "bot")
    project = client.projects.create(
        "acme", CreateProject(name=f"Engine of {kind}", identifier=f"E{kind[:3]}".upper())
    )
    try_projects(client, project)
    try_members(client, project)
    try_states(client, project.id)
    try_labels(client, project.id)
    try_work_items(client, project)
    try_pages(client, project.id)
    try_workspace(client)
    upload = client.users.upload_asset(
        UserAssetUploadRequest(name="me.png", type="image/png", size=100, entity_type="USER_AVATAR")
    )
    assert upload["upload_data"]["url"]
    client.projects.delete("acme", project.id)
    with pytest.raises(HttpError) as gone:
        client.projects.retrieve("acme", project.id)
    assert gone.value.status_code == 404


def try_projects(client: PlaneClient, project: Any) -> None:
    assert project.identifier == project.identifier.upper()
    assert client.projects.retrieve("acme", project.id).name == project.name
    changed = client.projects.update("acme", project.id, UpdateProject(description="what it does"))
    assert changed.description == "what it does"
    assert project.id in [one.id for one in client.projects.list("acme").results]
    assert project.id in [one.id for one in client.projects.list_lite("acme").results]
    features = client.projects.update_features("acme", project.id, ProjectFeature(cycles=True, modules=True))
    assert features.cycles
    assert client.projects.get_features("acme", project.id).modules
    client.projects.archive("acme", project.id)
    assert client.projects.retrieve("acme", project.id).archived_at
    client.projects.unarchive("acme", project.id)
    assert client.projects.get_worklog_summary("acme", project.id) == []


def try_members(client: PlaneClient, project: Any) -> None:
    me = client.users.get_me()
    members = client.projects.get_members("acme", project.id)
    assert [one.role for one in members if one.id == me.id] == [20]
    assert client.projects.get_members_lite("acme", project.id).total_count == len(members)


def try_states(client: PlaneClient, project_id: str) -> None:
    names = [state.name for state in client.states.list("acme", project_id).results]
    assert names == ["Backlog", "Todo", "In Progress", "Done", "Cancelled"]
    state = client.states.create(
        "acme", project_id, CreateState(name="Review", color="#abcdef", group="started")
    )
    assert client.states.retrieve("acme", project_id, state.id).name == "Review"
    assert client.states.update("acme", project_id, state.id, UpdateState(color="#000000")).color == "#000000"
    client.states.delete("acme", project_id, state.id)
    with pytest.raises(HttpError):
        client.states.retrieve("acme", project_id, state.id)


def try_labels(client: PlaneClient, project_id: str) -> None:
    label = client.labels.create("acme", project_id, CreateLabel(name="bug", color="#ff0000"))
    assert client.labels.retrieve("acme", project_id, label.id).name == "bug"
    assert client.labels.update("acme", project_id, label.id, UpdateLabel(name="defect")).name == "defect"
    assert [one.id for one in client.labels.list("acme", project_id).results] == [label.id]
    client.labels.delete("acme", project_id, label.id)
    assert client.labels.list("acme", project_id).total_count == 0


def try_work_items(client: PlaneClient, project: Any) -> None:
    project_id = project.id
    item = client.work_items.create(
        "acme",
        project_id,
        CreateWorkItem(name="Wheel squeaks", priority="high", assignees=[client.users.get_me().id]),
    )
    assert client.work_items.retrieve("acme", project_id, item.id).name == "Wheel squeaks"
    found = client.work_items.retrieve_by_identifier("acme", project.identifier, item.sequence_id)
    assert found.id == item.id
    assert (
        client.work_items.update("acme", project_id, item.id, UpdateWorkItem(priority="low")).priority
        == "low"
    )
    listed = client.work_items.list(
        "acme", project_id, WorkItemQueryParams(expand="assignees,state", order_by="-created_at", per_page=10)
    )
    assert [one.id for one in listed.results] == [item.id]
    by_pql = client.work_items.list("acme", project_id, WorkItemQueryParams(pql='priority = "low"'))
    assert by_pql.total_count == 1
    assert item.id in [one.id for one in client.work_items.list_workspace("acme").results]
    assert client.work_items.count_workspace("acme").total_count >= 1
    assert item.id in [one.id for one in client.work_items.search("acme", "squeaks").issues]
    advanced = client.work_items.advanced_search("acme", AdvancedSearchWorkItem(query="squeaks", limit=5))
    assert item.id in [one.id for one in advanced]
    try_comments(client, project_id, item.id)
    try_links(client, project_id, item.id)
    try_activities(client, project_id, item.id)
    done = next(s for s in client.states.list("acme", project_id).results if s.group == "completed")
    client.work_items.update("acme", project_id, item.id, UpdateWorkItem(state=done.id))
    client.work_items.archive("acme", project_id, item.id)
    assert [one.id for one in client.work_items.list_archived("acme", project_id).results] == [item.id]
    client.work_items.unarchive("acme", project_id, item.id)
    client.work_items.delete("acme", project_id, item.id)
    assert client.work_items.list("acme", project_id).total_count == 0


def try_comments(client: PlaneClient, project_id: str, item_id: str) -> None:
    comments = client.work_items.comments
    made = comments.create("acme", project_id, item_id, CreateWorkItemComment(comment_html="<p>oil it</p>"))
    assert comments.retrieve("acme", project_id, item_id, made.id).comment_html == "<p>oil it</p>"
    changed = comments.update(
        "acme", project_id, item_id, made.id, UpdateWorkItemComment(comment_html="<p>oiled</p>")
    )
    assert changed.comment_html == "<p>oiled</p>"
    assert comments.list("acme", project_id, item_id).total_count == 1
    comments.delete("acme", project_id, item_id, made.id)
    assert comments.list("acme", project_id, item_id).total_count == 0


def try_links(client: PlaneClient, project_id: str, item_id: str) -> None:
    links = client.work_items.links
    made = links.create("acme", project_id, item_id, CreateWorkItemLink(url="https://oil.example/"))
    assert links.retrieve("acme", project_id, item_id, made.id).url == "https://oil.example/"
    changed = links.update("acme", project_id, item_id, made.id, UpdateWorkItemLink(title="Oil"))
    assert changed.title == "Oil"
    assert links.list("acme", project_id, item_id).total_count == 1
    links.delete("acme", project_id, item_id, made.id)
    assert links.list("acme", project_id, item_id).total_count == 0


def try_activities(client: PlaneClient, project_id: str, item_id: str) -> None:
    activities = client.work_items.activities
    recorded = activities.list("acme", project_id, item_id)
    assert recorded.results[0].verb == "created"
    changed = next(one for one in recorded.results if one.field == "priority")
    assert (changed.old_value, changed.new_value) == ("high", "low")
    assert changed.actor == client.users.get_me().id
    assert activities.retrieve("acme", project_id, item_id, changed.id).epoch == changed.epoch


def try_pages(client: PlaneClient, project_id: str) -> None:
    page = client.pages.create_project_page(
        "acme", project_id, CreatePage(name="Manual", description_html="<p>Read me</p>")
    )
    assert client.pages.retrieve_project_page("acme", project_id, page.id).name == "Manual"
    assert [one.id for one in client.pages.list_project_pages("acme", project_id).results] == [page.id]


def try_workspace(client: PlaneClient) -> None:
    members = client.workspaces.get_members("acme")
    assert "ana@example.com" in [one.email for one in members]
    assert client.workspaces.get_members_lite("acme").total_count == len(members)
    assert client.workspaces.get_project_role_distribution("acme").total_distinct_members
    before = client.workspaces.get_features("acme")
    after = client.workspaces.update_features("acme", WorkspaceFeature(initiatives=not before.initiatives))
    assert after.initiatives is not before.initiatives
    roles = client.roles.list("acme")
    assert {role.slug for role in roles.results} >= {"admin", "member", "guest"}
    assert client.roles.retrieve("acme", roles.results[0].id).slug == roles.results[0].slug
