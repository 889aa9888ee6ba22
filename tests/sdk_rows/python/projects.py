"""Projects, their members and features."""

from typing import Any

from plane.models.projects import CreateProject, ProjectFeature, UpdateProject

from tests.sdk_rows.place import SLUG, Place, unique
from tests.sdk_rows.rows import records, row


def new_project(_: Place) -> CreateProject:
    name = unique("Garage")
    return CreateProject(name=name, identifier=f"G{name.split()[1]}", description="Where wheels are mended")


PROJECTS = records(
    "projects",
    new_project,
    lambda _: UpdateProject(name=unique("Workshop"), description="Where engines are built"),
)


def make(place: Place) -> Any:
    return PROJECTS.create(place, ())[0]


@row("projects.list_lite")
def list_lite(place: Place) -> None:
    made = make(place)
    listed = {one.id: one for one in place.client.projects.list_lite(SLUG).results}
    assert (listed[made.id].name, listed[made.id].identifier) == (made.name, made.identifier)


@row("projects.archive")
def archive(place: Place) -> None:
    made = make(place)
    place.client.projects.archive(SLUG, made.id)
    assert place.client.projects.retrieve(SLUG, made.id).archived_at


@row("projects.unarchive")
def unarchive(place: Place) -> None:
    made = make(place)
    place.client.projects.archive(SLUG, made.id)
    place.client.projects.unarchive(SLUG, made.id)
    assert place.client.projects.retrieve(SLUG, made.id).archived_at is None


@row("projects.get_features")
def get_features(place: Place) -> None:
    made = make(place)
    place.client.projects.update_features(SLUG, made.id, ProjectFeature(cycles=False, modules=True))
    features = place.client.projects.get_features(SLUG, made.id)
    assert (features.cycles, features.modules) == (False, True)


@row("projects.update_features")
def update_features(place: Place) -> None:
    made = make(place)
    for on in (True, False):
        place.client.projects.update_features(SLUG, made.id, ProjectFeature(cycles=on, pages=on))
        assert place.client.projects.retrieve(SLUG, made.id).cycle_view is on
        assert place.client.projects.get_features(SLUG, made.id).pages is on


@row("projects.get_members")
def get_members(place: Place) -> None:
    made = make(place)
    members = place.client.projects.get_members(SLUG, made.id)
    assert [(one.id, one.role) for one in members] == [(place.me, 20)]
    bots = make_by(place.bot)
    assert place.bot.users.get_me().id in [one.id for one in place.bot.projects.get_members(SLUG, bots.id)]


def make_by(client: Any) -> Any:
    name = unique("Office")
    return client.projects.create(SLUG, CreateProject(name=name, identifier=f"O{name.split()[1]}"))


@row("projects.get_members_lite")
def get_members_lite(place: Place) -> None:
    made = make(place)
    listed = place.client.projects.get_members_lite(SLUG, made.id)
    members = place.client.projects.get_members(SLUG, made.id)
    assert listed.total_count == len(members)
    assert {one.display_name for one in listed.results} == {one.display_name for one in members}


@row("projects.get_worklog_summary")
def get_worklog_summary(place: Place) -> None:
    made = make(place)
    assert place.client.projects.get_worklog_summary(SLUG, made.id) == []
    wheel, axle = place.item(), place.item()
    for item, minutes in ((wheel, 30), (axle, 10), (wheel, 15)):
        data = {"description": "Filing", "duration": minutes}
        place.client.work_items.work_logs.create(SLUG, place.project_id, item.id, data)
    summary = place.client.projects.get_worklog_summary(SLUG, place.project_id)
    spent = {one["issue_id"]: one["duration"] for one in map(as_row, summary)}
    assert (spent[wheel.id], spent[axle.id]) == (45, 10)


def as_row(one: Any) -> Any:
    return one if isinstance(one, dict) else one.model_dump()
