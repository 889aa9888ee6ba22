"""Clients of plane-sdk for the people of Acme, and a project."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from plane import PlaneClient
from plane.models.projects import CreateProject

from tests.journeys.conftest import Stage

_numbers = count(1)


@pytest.fixture(scope="module")
def client_of(stage: Stage) -> Callable[[str], PlaneClient]:
    """A client with an API key of this person, who is made a member of Acme where they are new."""

    def client(name: str) -> PlaneClient:
        email = f"{name}@example.com"
        if name != "ana":
            stage.instance.cli(
                "user", "create", email, "--name", name.title(), "--password-stdin", stdin="a good password"
            )
            stage.instance.cli("workspace", "add", "acme", email)
        made = stage.instance.cli("token", "create", "--user", email, "--expires-in-days", "1")
        return PlaneClient(base_url=stage.base_url, api_key=made["token"])

    return client


@pytest.fixture(scope="module")
def ana(client_of: Callable[[str], PlaneClient]) -> PlaneClient:
    return client_of("ana")


@pytest.fixture
def project(ana: PlaneClient) -> Any:
    """A new project of Ana's."""
    number = next(_numbers)
    return ana.projects.create("acme", CreateProject(name=f"Engine {number}", identifier=f"E{number}"))
