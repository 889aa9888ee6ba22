"""Runs of agents, and what is said in them."""

from typing import Any

from plane.models.agent_runs import (
    AgentRunActivityActionContent,
    AgentRunActivityTextContent,
    CreateAgentRun,
    CreateAgentRunActivity,
)

from tests.sdk_rows.place import SLUG, Place
from tests.sdk_rows.rows import row


def make(place: Place) -> Any:
    data = CreateAgentRun(agent_slug="courier", issue=place.item().id, project=place.project_id)
    return place.client.agent_runs.create(SLUG, data)


@row("agent_runs.create")
def create(place: Place) -> None:
    made = make(place)
    read = place.client.agent_runs.retrieve(SLUG, made.id)
    assert (read.id, read.issue, read.project) == (made.id, made.issue, place.project_id)
    assert read.agent_user == place.bot.users.get_me().id
    assert read.creator == place.me


@row("agent_runs.retrieve")
def retrieve(place: Place) -> None:
    made = make(place)
    assert place.client.agent_runs.retrieve(SLUG, made.id).status.value == "created"
    report(place, made.id)
    assert place.bot.agent_runs.retrieve(SLUG, made.id).status.value == "in_progress"


def report(place: Place, run_id: str) -> Any:
    """The agent tells what it does."""
    content = AgentRunActivityActionContent(type="action", action="Oil", parameters={"wheel": "rear"})
    data = CreateAgentRunActivity(type="action", content=content)
    return place.bot.agent_runs.activities.create(SLUG, run_id, data)


@row("agent_runs.activities.create")
def create_activity(place: Place) -> None:
    run = make(place)
    made = report(place, run.id)
    read = place.bot.agent_runs.activities.retrieve(SLUG, run.id, made.id)
    assert (read.content.action, read.content.parameters) == ("Oil", {"wheel": "rear"})
    text = AgentRunActivityTextContent(type="response", body="It turns")
    place.bot.agent_runs.activities.create(
        SLUG, run.id, CreateAgentRunActivity(type="response", content=text)
    )
    assert place.client.agent_runs.retrieve(SLUG, run.id).status.value == "completed"


@row("agent_runs.activities.list")
def list_activities(place: Place) -> None:
    run = make(place)
    made = [report(place, run.id).id for _ in range(2)]
    listed = [one.id for one in place.bot.agent_runs.activities.list(SLUG, run.id).results]
    assert set(made) <= set(listed)


@row("agent_runs.activities.retrieve")
def retrieve_activity(place: Place) -> None:
    run = make(place)
    made, other = report(place, run.id), report(place, run.id)
    read = place.bot.agent_runs.activities.retrieve(SLUG, run.id, made.id)
    assert read.id == made.id != other.id
    assert (read.type.value, read.agent_run) == ("action", run.id)
