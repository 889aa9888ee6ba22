"""A server is killed while clients write with an Idempotency-Key: nothing is done twice, and nothing is lost."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.faults.refresh import NO_ANSWER, Grid, grid

CLIENTS, WRITES, KILLS = 6, 15, 3


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
@pytest.mark.timeout(300)
async def test_each_write_is_done_once_though_the_server_is_killed(kind: str, tmp_path: Path) -> None:
    async with grid(kind, tmp_path, servers=1) as servers:
        token = (await servers.sign_ins(1))[0]["access_token"]
        api = _Api(servers, {"Authorization": f"Bearer {token}"})
        project = await api.write("workspaces/acme/projects/", "p", {"name": "Killed", "identifier": "KILL"})
        path = f"workspaces/acme/projects/{project['id']}/labels/"
        writing = [asyncio.ensure_future(_write(api, path, number)) for number in range(CLIENTS)]
        for _ in range(KILLS):
            await asyncio.sleep(0.4)
            servers.kill()
            await asyncio.to_thread(servers.start_again)
        ids = {one for made in await asyncio.gather(*writing) for one in made}
        listed = await api.read(f"{path}?per_page=1000")
        assert len(ids) == CLIENTS * WRITES
        assert {one["id"] for one in listed["results"]} == ids


class _Api:
    def __init__(self, servers: Grid, headers: dict[str, str]) -> None:
        self._servers, self._headers = servers, headers

    async def write(self, path: str, key: str, body: Any) -> Any:
        """Send it, again while nobody answers."""
        headers = {**self._headers, "Idempotency-Key": key}
        while True:
            try:
                async with self._servers.http.post(self._url(path), json=body, headers=headers) as answer:
                    assert answer.status == 201, await answer.text()
                    return await answer.json()
            except NO_ANSWER:
                await asyncio.sleep(0.05)

    async def read(self, path: str) -> Any:
        async with self._servers.http.get(self._url(path), headers=self._headers) as answer:
            return await answer.json()

    def _url(self, path: str) -> str:
        return f"{self._servers.servers[0].url}/api/v1/{path}"


async def _write(api: _Api, path: str, client: int) -> list[str]:
    return [
        (await api.write(path, f"{client}-{number}", {"name": f"Label {client} {number}"}))["id"]
        for number in range(WRITES)
    ]
