"""Uploading a file as a client does: a form with the issued fields, then the part `file`, without credentials."""

import asyncio
from collections.abc import Mapping
from typing import Any

from falcon import testing

from tests.support.api import Client

BOUNDARY = "----a-boundary"


def make_form(fields: Mapping[str, str], file: bytes, name: str = "../me.png") -> bytes:
    """The body, as a browser or the Python requests library sends it."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in fields.items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return b"".join(parts) + head.encode() + file + f"\r\n--{BOUNDARY}--\r\n".encode()


async def upload(client: Client, fields: Mapping[str, str], file: bytes) -> testing.Result:
    return await client.conductor.simulate_post(
        "/api/assets/upload/",
        body=make_form(fields, file),
        headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
    )


async def attach(client: Client, path: str, file: bytes, **body: Any) -> Any:
    """A complete attachment, as the API shows it."""
    asked = await client.post(path, {"name": "a.txt", "type": "text/plain", "size": len(file)} | body)
    assert asked.status_code == 200, asked.json
    sent = await upload(client, asked.json["upload_data"]["fields"], file)
    assert sent.status_code == 204, sent.text
    done = await client.patch(f"{path}/{asked.json['asset_id']}", {"is_uploaded": True})
    assert done.status_code in (200, 204), done.json
    return done.json if done.status_code == 200 else asked.json


async def follow(client: Client, url: str) -> testing.Result:
    """What is at a URL of this origin, for who has no credentials."""
    path, _, query = url.partition("//")[2].partition("/")[2].partition("?")
    return await client.conductor.simulate_get(f"/{path}", query_string=query)


class SlowUpload:
    """An upload whose request has begun, and whose last bytes arrive when `finish` is called."""

    def __init__(self, app: Any, fields: Mapping[str, str], file: bytes) -> None:
        body = make_form(fields, file)
        self._first, self._rest = body[:-20], body[-20:]
        self._may_finish = asyncio.Event()
        self._has_begun = asyncio.Event()
        self._status = 0
        headers = {
            "content-type": f"multipart/form-data; boundary={BOUNDARY}",
            "content-length": str(len(body)),
        }
        scope = testing.create_scope(method="POST", path="/api/assets/upload/", headers=headers)
        self._task = asyncio.create_task(app(scope, self._receive, self._send))

    async def begin(self) -> "SlowUpload":
        """Once Airside has checked that the upload is open."""
        async with asyncio.timeout(10):
            await self._has_begun.wait()
            await asyncio.sleep(0.1)
        return self

    async def finish(self) -> int:
        """The status of the answer."""
        self._may_finish.set()
        await self._task
        return self._status

    async def _receive(self) -> dict[str, Any]:
        if not self._has_begun.is_set():
            self._has_begun.set()
            return {"type": "http.request", "body": self._first, "more_body": True}
        await self._may_finish.wait()
        return {"type": "http.request", "body": self._rest, "more_body": False}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
