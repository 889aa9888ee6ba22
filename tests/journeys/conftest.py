"""User journeys against a real server, with real clients."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.support.consent import Person
from tests.support.servers import Server, running_server

PASSWORD = "a long enough password"
REDIRECT_URI = "http://127.0.0.1:9/oauth/callback"  # nobody listens there: the tests read the redirect itself


@dataclass
class Stage:
    """A running instance with workspace Acme, its admin Ana, and app Courier, which isn't installed yet."""

    instance: Server
    client_id: str
    client_secret: str
    webhook_secret: str

    @property
    def base_url(self) -> str:
        return self.instance.url

    @property
    def ana(self) -> Person:
        """Ana at a fresh browser."""
        return Person(self.base_url, "ana@example.com", PASSWORD)

    def authorize_url(self, **more: str) -> str:
        asked = {"client_id": self.client_id, "response_type": "code", "redirect_uri": REDIRECT_URI, **more}
        return f"{self.base_url}/auth/o/authorize-app/?{urlencode(asked)}"


def set_stage(instance: Server, *app: str) -> Stage:
    """Ana, Acme and Courier, by the command line."""
    instance.cli(
        "user", "create", "ana@example.com", "--name", "Ana Lind", "--password-stdin", stdin=PASSWORD
    )
    instance.cli("workspace", "create", "acme", "--name", "Acme", "--owner", "ana@example.com")
    redirect = () if "--redirect-uri" in app else ("--redirect-uri", REDIRECT_URI)
    made = instance.cli("app", "create", "--workspace", "acme", "--name", "Courier", *redirect, *app)
    return Stage(instance, made["client_id"], made["client_secret"], made["webhook_secret"])


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("stage")
    with running_server(folder) as instance:
        yield set_stage(instance)
