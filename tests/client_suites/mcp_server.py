"""plane-mcp-server over stdio, as an editor starts it: each of its tools' actions is called."""

import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.client_suites.mcp_calls import Call, all_calls
from tests.client_suites.place import Place
from tests.client_suites.verdicts import Verdict, judge
from tests.support.clients import client_environment

UNKNOWN = "00000000-0000-4000-8000-000000000000"  # the id of what couldn't be created
REFERENCE = re.compile(r"\$([a-z]\w*)((?:\.\w+)*)")
FILE_URL = "http://files.example/notes.txt"  # through the proxy: the server refuses to read from this machine


async def try_mcp_server(place: Place) -> tuple[list[str], list[Verdict]]:
    """The server's actions, and what became of each call."""
    results: dict[str, Any] = {
        "ana": {"id": place.ana_id},
        "ben": {"id": place.ben_id},
        "file_url": {"id": FILE_URL},
    }
    async with connected(place) as client:
        actions = [one for tool in (await client.list_tools()).tools for one in actions_of(tool)]
        verdicts = [await try_call(client, place, results, call) for call in all_calls()]
    return actions, verdicts


def actions_of(tool: Any) -> list[str]:
    action = tool.input_schema["properties"].get("action")
    return [f"{tool.name} {name}" for name in (action["enum"] if action else ["read"])]


async def try_call(client: Client, place: Place, results: dict[str, Any], call: Call) -> Verdict:
    named = {} if call.tool == "get_pql_reference" else {"action": call.action}
    action = f"{call.tool} {call.action}"
    with place.recorded(action) as exchanges:
        answer = await client.call_tool(call.tool, named | fill(call.arguments, results))
    result, refusal = read(answer)
    if call.keeps:
        results[call.keeps] = result
    return judge(action, complain(call, results, result, refusal), exchanges, place.served)


def read(answer: Any) -> tuple[Any, str]:
    """The result of a tool, and the words of its refusal. The server also refuses by results."""
    if answer.is_error:
        return None, str(answer.content)
    result = result_of(answer)
    if isinstance(result, str) and result.startswith("Error:"):
        return None, result
    if isinstance(result, dict) and "failed_pql" in result:
        return None, str(result["error"])
    return result, ""


def result_of(answer: Any) -> Any:
    structured = answer.structured_content
    if structured:
        return structured.get("result", structured)
    text = "".join(one.text for one in answer.content if one.type == "text")
    with suppress(ValueError):
        return json.loads(text)
    return text


def complain(call: Call, results: dict[str, Any], result: Any, refusal: str) -> str:
    """What is wrong with the result; empty if it is as it has to be."""
    if refusal or call.refused:
        is_expected = bool(call.refused) and call.refused in refusal
        return "" if is_expected else f"Refused: {refusal or 'no'}"
    text = json.dumps(result)
    shown = result if isinstance(result, dict) else {}
    wanted = fill(call.shows, results)
    wrong = [
        f"{name} is {shown.get(name)!r}, not {value!r}"
        for name, value in wanted.items()
        if shown.get(name) != value
    ]
    wrong += [
        f"{what} is missing"
        for what in fill(list(call.lists), results)
        if json.dumps(what)[1:-1] not in text and what not in text
    ]
    wrong += [f"{what} is there" for what in fill(list(call.lacks), results) if what in text]
    return "; ".join(wrong) + (f" in {text[:300]}" if wrong else "")


def fill(value: Any, results: dict[str, Any]) -> Any:
    """The value with its references resolved."""
    if isinstance(value, dict):
        return {name: fill(one, results) for name, one in value.items()}
    if isinstance(value, list):
        return [fill(one, results) for one in value]
    return REFERENCE.sub(lambda found: look_up(found, results), value) if isinstance(value, str) else value


def look_up(found: re.Match[str], results: dict[str, Any]) -> str:
    value = results.get(found[1])
    for step in found[2].split(".")[1:] or ["id"]:
        try:
            value = value[int(step) if step.isdigit() else step]
        except (KeyError, IndexError, TypeError):
            return UNKNOWN
    return str(value)


@asynccontextmanager
async def connected(place: Place) -> AsyncIterator[Client]:
    executable = client_environment("plane-mcp-server") / "plane-mcp-server"
    with serving_a_file() as proxy, place.log("mcp").open("w") as log:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PLANE_")},
            "PLANE_API_KEY": place.api_key,
            "PLANE_WORKSPACE_SLUG": "acme",
            "PLANE_BASE_URL": place.url,
            "HTTP_PROXY": proxy,
            "NO_PROXY": "127.0.0.1",
        }
        server = StdioServerParameters(command=str(executable), args=["stdio"], env=environment)
        async with Client(stdio_client(server, errlog=log)) as client:
            yield client


@contextmanager
def serving_a_file() -> Iterator[str]:
    """A proxy that answers every request with a text."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), TextHandler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class TextHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(b"Notes of the mission")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""
