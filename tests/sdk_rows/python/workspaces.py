"""A workspace, its people, roles and stickies, and the caller."""

from plane.models.stickies import CreateSticky, UpdateSticky
from plane.models.users import UserAssetUploadRequest
from plane.models.workspaces import WorkspaceFeature

from tests.sdk_rows.place import SLUG, Place, unique
from tests.sdk_rows.rows import records, row

records(
    "stickies",
    lambda _: CreateSticky(name=unique("Buy oil"), color="#fdf5b2", description_html="<p>5 l</p>"),
    lambda _: UpdateSticky(name=unique("Oil bought"), color="#abcdef"),
)


@row("users.get_me")
def get_me(place: Place) -> None:
    assert place.client.users.get_me().email == "ana@example.com"
    bot = place.bot.users.get_me()
    members = {one.id: one for one in place.client.workspaces.get_members(SLUG)}
    assert members[bot.id].is_bot


@row("users.upload_asset")
def upload_asset(place: Place) -> None:
    asked = UserAssetUploadRequest(name="me.png", type="image/png", size=100, entity_type="USER_AVATAR")
    first, second = (place.client.users.upload_asset(asked) for _ in range(2))
    assert first["asset_id"] != second["asset_id"]
    assert first["upload_data"]["url"].startswith(place.workplace.stage.base_url)
    assert first["upload_data"]["fields"]
    assert place.client.users.get_me().id == place.me


@row("workspaces.get_features")
def get_features(place: Place) -> None:
    for on in (False, True):
        place.client.workspaces.update_features(SLUG, WorkspaceFeature(teams=on))
        assert place.client.workspaces.get_features(SLUG).teams is on


@row("workspaces.update_features")
def update_features(place: Place) -> None:
    was = place.client.workspaces.get_features(SLUG)
    for on in (False, True):
        changed = WorkspaceFeature(initiatives=on)
        assert place.client.workspaces.update_features(SLUG, changed).initiatives is on
        assert place.client.workspaces.get_features(SLUG) == was.model_copy(update={"initiatives": on})


@row("workspaces.get_members")
def get_members(place: Place) -> None:
    members = {one.id: one for one in place.client.workspaces.get_members(SLUG)}
    assert (members[place.me].email, members[place.me].role) == ("ana@example.com", 20)
    assert place.bot.users.get_me().id in members


@row("workspaces.get_members_lite")
def get_members_lite(place: Place) -> None:
    listed = place.client.workspaces.get_members_lite(SLUG)
    members = place.client.workspaces.get_members(SLUG)
    assert listed.total_count == len(members)
    assert {one.id for one in listed.results} == {one.id for one in members}


@row("workspaces.get_project_role_distribution")
def get_project_role_distribution(place: Place) -> None:
    projects = place.client.projects.list(SLUG).results
    members = [one.id for project in projects for one in place.client.projects.get_members(SLUG, project.id)]
    found = place.client.workspaces.get_project_role_distribution(SLUG)
    assert found.total_distinct_members == len(set(members))


@row("roles.list")
def list_roles(place: Place) -> None:
    roles = place.client.roles.list(SLUG).results
    assert {role.slug for role in roles} >= {"admin", "member", "guest"}
    workspace = place.client.roles.list(SLUG, namespace="workspace").results
    assert {role.namespace for role in workspace} == {"workspace"}
    assert len(workspace) < len(roles)
    assert place.client.roles.retrieve(SLUG, workspace[0].id).namespace == "workspace"


@row("roles.retrieve")
def retrieve_role(place: Place) -> None:
    for role in place.client.roles.list(SLUG).results:
        read = place.client.roles.retrieve(SLUG, role.id)
        assert (read.slug, read.namespace) == (role.slug, role.namespace)
