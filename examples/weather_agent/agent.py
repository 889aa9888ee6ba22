"""An agent for Plane, built as Plane's developer documentation builds one: with plane-sdk and nothing else.

Mention it in a comment ("@Weather what's it like in Tokyo?") or assign it a work item. It tells what it is doing,
asks when it isn't sure which city is meant, and answers with what the weather there usually is this month.

    PLANE_CLIENT_ID=… PLANE_CLIENT_SECRET=… PLANE_WEBHOOK_SECRET=… python agent.py

Its redirect URI is http://127.0.0.1:8790/oauth/callback, its webhook URL http://127.0.0.1:8790/webhook.
"""

import hashlib
import hmac
import json
import os
import threading
import time
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from climate import CITIES, City, find_cities
from plane import OAuthClient, PlaneClient
from plane.models.agent_runs import CreateAgentRunActivity

API_URL = os.environ.get("PLANE_API_URL", "http://127.0.0.1:8000")
PORT = int(os.environ.get("PORT", "8790"))
PAUSE = float(os.environ.get("PAUSE_SECONDS", "1.5"))  # so that one can watch it

Stopped = type("Stopped", (Exception,), {})


class Workspace:
    """One workspace that the agent was installed in."""

    def __init__(self, slug: str, token: str) -> None:
        self.slug = slug
        self.client = PlaneClient(base_url=API_URL, access_token=token)


workspaces: dict[str, Workspace] = {}  # by their id
stopped: set[str] = set()  # runs that somebody asked to stop


def install(app_installation_id: str) -> str:
    """After a person's consent: get the bot token, and learn where the agent was installed."""
    oauth = OAuthClient(
        base_url=API_URL,
        client_id=os.environ["PLANE_CLIENT_ID"],
        client_secret=os.environ["PLANE_CLIENT_SECRET"],
    )
    token = oauth.get_client_credentials_token(app_installation_id=app_installation_id).access_token
    found = requests.get(
        f"{API_URL}/auth/o/app-installation/",
        params={"id": app_installation_id},
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    ).json()[0]
    workspaces[found["workspace"]] = Workspace(found["workspace_detail"]["slug"], token)
    return found["workspace_detail"]["name"]


class Run:
    """What the agent says and does in one run."""

    def __init__(self, workspace: Workspace, run_id: str) -> None:
        self._workspace, self._id = workspace, run_id
        self._activities = workspace.client.agent_runs.activities

    def say(self, kind: str, body: str, **more: Any) -> None:
        self._post(type=kind, content={"type": kind, "body": body}, **more)

    def act(self, action: str, **parameters: str) -> None:
        content = {"type": "action", "action": action, "parameters": parameters}
        self._post(type="action", content=content)

    def pause(self) -> None:
        """Take the time that real work takes. Raises Stopped."""
        deadline = time.monotonic() + PAUSE
        while time.monotonic() < deadline:
            if self._id in stopped:
                raise Stopped
            time.sleep(0.05)

    def earlier(self) -> list[tuple[str, str]]:
        """The conversation so far: who, prompt or response, and what was said."""
        page = self._activities.list(self._workspace.slug, self._id, params={"per_page": 100})
        spoken = ("prompt", "response", "elicitation")
        return [
            (one.type.value, one.content.body)  # type: ignore[union-attr]
            for one in page.results
            if one.type.value in spoken
        ]

    def _post(self, **data: Any) -> None:
        self._activities.create(self._workspace.slug, self._id, CreateAgentRunActivity(**data))


def answer(run: Run, prompt: str) -> None:
    """One turn of the conversation."""
    run.say("thought", "Looking for the place that is meant …")
    run.pause()
    if "calendar" in prompt.lower():
        run.say(
            "elicitation",
            "To look into your calendar I need you to sign in first. Tell me here when you have.",
            signal="auth_request",
            signal_metadata={"url": "https://weather.example/sign-in"},
        )
        return
    cities = find_cities(prompt)
    if not cities:  # perhaps it was said before: "and in July?"
        cities = next((found for _, said in reversed(run.earlier()) if (found := find_cities(said))), [])
    if len(cities) == 1:
        tell_weather(run, cities[0])
    else:
        ask_which(run, cities or CITIES)


def ask_which(run: Run, cities: list[City]) -> None:
    run.say(
        "elicitation",
        "Which city do you mean?",
        signal="select",
        signal_metadata={"options": [{"id": city.id, "label": city.name} for city in cities]},
    )


def tell_weather(run: Run, city: City) -> None:
    month = datetime.now().astimezone()
    asked = {"location": city.name, "month": f"{month:%B}"}
    run.act("getClimate", **asked)
    run.pause()
    low, high = city.temperatures(month.month)
    run.act("getClimate", **asked, result=f"{low} to {high} °C")
    run.pause()
    warm = "Take a coat." if high < 15 else "A jacket will do." if high < 22 else "No coat needed."
    run.say("response", f"In **{city.name}** it is usually {low} to {high} °C in {month:%B}. {warm}")


def handle(body: dict[str, Any]) -> None:
    """A webhook, after it was answered."""
    if body.get("type") != "agent_run_activity":
        return
    workspace = workspaces.get(body["workspace_id"])
    if workspace is None:
        return
    run_id, activity = body["agent_run"]["id"], body["agent_run_activity"]
    run = Run(workspace, run_id)
    if activity["signal"] == "stop":
        stopped.add(run_id)
        run.say("response", "I've stopped.")
        return
    try:
        answer(run, activity["content"].get("body", ""))
    except Stopped:
        return
    except Exception as error:  # whatever it is, the person who asked gets an answer
        run.say(
            "error", "I couldn't find out. Please try again later.", signal_metadata={"error": repr(error)}
        )
        raise


class Server(BaseHTTPRequestHandler):
    """The redirect URI and the webhook."""

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        installation = parse_qs(asked.query).get("app_installation_id")
        if asked.path != "/oauth/callback" or not installation:
            self._reply(404, "There is nothing here.")
            return
        self._reply(200, f"Weather is installed in {install(installation[0])}. You can close this window.")

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        secret = os.environ["PLANE_WEBHOOK_SECRET"]
        expected = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(self.headers.get("X-Plane-Signature", ""), expected):
            self._reply(401, "The signature is wrong.")
            return
        self._reply(200, "ok")  # at once; the work comes after
        threading.Thread(target=handle, args=(json.loads(raw),), daemon=True).start()

    def _reply(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:
        return


if __name__ == "__main__":
    print(f"Weather listens at http://127.0.0.1:{PORT}", flush=True)
    ThreadingHTTPServer(("127.0.0.1", PORT), Server).serve_forever()
