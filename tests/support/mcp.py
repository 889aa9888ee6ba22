"""The stock Plane MCP server as a process, and a person's MCP client that talks to it.

with running_mcp_server(stage.base_url, client_id, client_secret, folder):
    ana = McpUser(stage.ana, workspace="acme")
    async with ana.connected() as mcp:
        await mcp.list_tools()
"""

import asyncio
import os
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx2
import requests
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)

from tests.support.clients import client_environment, held
from tests.support.consent import Forms, Person
from tests.support.servers import START_SECONDS

PORT = 8211  # the server has no setting for it
MCP_ORIGIN = f"http://127.0.0.1:{PORT}"
MCP_URL = f"{MCP_ORIGIN}/http/mcp"
UPSTREAM_CALLBACK = f"{MCP_ORIGIN}/http/auth/callback"
CLIENT_CALLBACK = "http://127.0.0.1:9/callback"  # nothing listens there: the test reads the redirect itself


@contextmanager
def running_mcp_server(plane: str, client_id: str, client_secret: str, folder: Path) -> Iterator[None]:
    """`plane-mcp-server http` in front of an Airside. Only one can run on a machine, because of its fixed port."""
    executable = client_environment("plane-mcp-server") / "plane-mcp-server"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PLANE_", "REDIS_"))},
        "PLANE_BASE_URL": plane,
        "PLANE_OAUTH_PROVIDER_CLIENT_ID": client_id,
        "PLANE_OAUTH_PROVIDER_CLIENT_SECRET": client_secret,
        "PLANE_OAUTH_PROVIDER_BASE_URL": MCP_ORIGIN,
    }
    with (
        held(Path(tempfile.gettempdir()) / f"airside-tests-port-{PORT}.lock"),
        (folder / "mcp.log").open("w") as log,
        subprocess.Popen(
            [executable, "http"], env=environment, cwd=folder, stdout=log, stderr=log
        ) as process,
    ):
        try:
            wait_listening(process, folder / "mcp.log")
            yield
        finally:
            process.terminate()


def wait_listening(process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 2 * START_SECONDS  # its imports take several seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(MCP_URL, timeout=5)
        except HTTPError:  # 401: it is up
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(log.read_text())


class Kept:
    """A client's storage: its registration and latest tokens. `issued` has all tokens that it received."""

    def __init__(self) -> None:
        self.issued: list[OAuthToken] = []
        self.registered: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.issued[-1] if self.issued else None

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.issued.append(tokens)

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.registered

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.registered = client_info


class McpUser:
    """A person with an MCP client that only knows the server's URL. `sign_ins` counts how often the person had to
    sign in with the browser."""

    def __init__(self, person: Person, workspace: str) -> None:
        self._person, self._workspace = person, workspace
        self._called: dict[str, str] = {}
        self.kept = Kept()
        self.sign_ins = 0
        self.auth = OAuthClientProvider(
            MCP_URL,
            OAuthClientMetadata(client_name="Ana's editor", redirect_uris=[CLIENT_CALLBACK]),
            self.kept,
            redirect_handler=self._sign_in,
            callback_handler=self._read_callback,
        )

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Client]:
        async with (
            httpx2.AsyncClient(auth=self.auth, timeout=30) as http,
            Client(streamable_http_client(MCP_URL, http_client=http)) as client,
        ):
            yield client

    @property
    def token(self) -> str:
        return self.kept.issued[-1].access_token

    async def _sign_in(self, url: str) -> None:
        self.sign_ins += 1
        self._called = await asyncio.to_thread(walk_through, url, self._person, self._workspace)

    async def _read_callback(self) -> AuthorizationCodeResult:
        return AuthorizationCodeResult.model_validate(self._called)


def walk_through(url: str, person: Person, workspace: str) -> dict[str, str]:
    """Consent at the MCP server, then at Airside; returns the parameters of the MCP client's callback."""
    browser = requests.Session()
    page = browser.get(url, timeout=20)
    action, fields = Forms(page.text).having("csrf_token")
    agreed = browser.post(
        urljoin(page.url, action or page.url),
        data=fields | {"action": "approve"},
        allow_redirects=False,
        timeout=20,
    )
    to_airside = agreed.headers["Location"]
    assert to_airside.startswith(f"{person.base_url}/auth/o/authorize-app/"), to_airside
    answered = person.consent(to_airside, workspace)
    back = browser.get(f"{UPSTREAM_CALLBACK}?{urlencode(answered)}", allow_redirects=False, timeout=20)
    assert back.is_redirect, (back.status_code, back.text[:1000])
    target = back.headers["Location"]
    assert target.startswith(CLIENT_CALLBACK), target
    return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}


def result_of(answer: Any) -> Any:
    """The result of a tool. Raises AssertionError with its message for a failed call."""
    assert not answer.is_error, answer.content
    return answer.structured_content["result"]


def status_with(token: str) -> int:
    """The MCP server's response to a token that it issued."""
    answer = requests.post(
        MCP_URL,
        json={"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}},
        headers={"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"},
        timeout=20,
    )
    return answer.status_code
