"""Airside with the example agent at work: both are started, and stopped together by Ctrl-C.

What was set up the first time stays in the data folder, so the next start goes on with it. Run it by
`python3 tools/develop.py demo`.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, TextIO

ROOT = Path(__file__).resolve().parent.parent
AGENT = ROOT / "examples" / "weather_agent" / "agent.py"
ADMIN, WORKSPACE = "admin@example.com", "sandbox"
SCOPES = (
    "agents.runs:read", "agents.runs:write", "agents.run_activities:read", "agents.run_activities:write",
    "projects:read", "projects.work_items:read", "projects.work_items.comments:read",
)  # fmt: skip
ITEMS = (
    "Ask @Weather what it's like in Tokyo",
    "Plan the team's trip to Paris",
    "Choose a venue for the summer party",
)
START_SECONDS = 60


class Demo:
    """The two processes and what they need to know of each other."""

    def __init__(self, data: Path, port: int, agent_port: int) -> None:
        self.data, self.kept = data, data / "demo.json"
        self.url, self.agent_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{agent_port}"
        self.port, self.agent_port = port, agent_port
        self.processes: list[subprocess.Popen[bytes]] = []
        self.env = {
            **os.environ,
            "AIRSIDE_DATA": str(data),
            "AIRSIDE_WEBHOOK_ALLOWED_HOSTS": "127.0.0.1,localhost,::1",
        }

    def run(self) -> None:
        """Start both, and wait until one of them ends."""
        signal.signal(signal.SIGTERM, stop_here)
        try:
            log_file = os.open(self.data / "serve.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with open(log_file, "a") as log:
                self.start("-m", "airside", "serve", "--port", str(self.port), log=log)
            self.wait_for(f"{self.url}/healthz")
            registered = self.register()
            keys = ("client_id", "client_secret", "webhook_secret")
            secrets = {f"PLANE_{key.upper()}": registered[key] for key in keys}
            self.start(str(AGENT), PLANE_API_URL=self.url, PORT=str(self.agent_port), **secrets)
            self.wait_for(f"{self.agent_url}/")
            installation_id = self.install(registered["client_id"])
            self.open(f"{self.agent_url}/oauth/callback?app_installation_id={installation_id}")
            print(f"\n  Mention @Weather at {self.url}/{WORKSPACE}/projects/\n", flush=True)
            while all(one.poll() is None for one in self.processes):
                time.sleep(0.2)
        except KeyboardInterrupt:
            pass
        finally:
            self.stop()

    def register(self) -> "dict[str, Any]":
        """The agent's credentials; made once, with a project that has something to talk about."""
        if self.kept.exists():
            return json.loads(self.kept.read_text())
        scopes = [part for scope in SCOPES for part in ("--scope", scope)]
        made = self.cli(
            *("app", "create", "--workspace", WORKSPACE, "--name", "Weather", "--mentionable", *scopes),
            *("--short-description", "Knows what the weather usually is."),
            *("--redirect-uri", f"{self.agent_url}/oauth/callback"),
            *("--webhook-url", f"{self.agent_url}/webhook"),
        )
        self.fill()
        with open(os.open(self.kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(made, file)
        return made

    def install(self, client_id: str) -> str:
        """What a person's consent does; once more changes nothing."""
        installed = self.cli("app", "install", client_id, "--workspace", WORKSPACE, "--as", ADMIN)
        return installed["app_installation_id"]

    def fill(self) -> None:
        key = self.cli("token", "create", "--user", ADMIN, "--expires-in-days", "1")["token"]
        projects = f"{self.url}/api/v1/workspaces/{WORKSPACE}/projects/"
        project = self.open(projects, {"name": "Offsite", "identifier": "OFF"}, key)
        for name in ITEMS:
            self.open(f"{projects}{project['id']}/work-items/", {"name": name}, key)

    def start(self, *arguments: str, log: "TextIO | None" = None, **env: str) -> None:
        command = [sys.executable, *arguments]
        self.processes.append(subprocess.Popen(command, env={**self.env, **env}, stderr=log))

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(10)

    def cli(self, *arguments: str) -> "dict[str, Any]":
        command = [sys.executable, "-m", "airside", *arguments, "--json"]
        ended = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)
        if ended.returncode:
            sys.exit(ended.stderr)
        return json.loads(ended.stdout)

    def open(self, url: str, body: "dict[str, Any] | None" = None, key: str = "") -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "X-API-Key": key}
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=20) as answer:
            return json.load(answer) if body is not None else answer.read()

    def wait_for(self, url: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if any(one.poll() is not None for one in self.processes):
                sys.exit("It couldn't be started.")
            try:
                self.open(url)
            except urllib.error.HTTPError:
                return  # it answers
            except OSError:
                time.sleep(0.05)
            else:
                return
        sys.exit(f"{url} doesn't answer.")


def stop_here(*_: object) -> None:
    sys.exit(0)


def main() -> None:
    options = argparse.ArgumentParser(prog="python3 tools/develop.py demo")
    options.add_argument("--port", type=int, default=8000)
    options.add_argument("--agent-port", type=int, default=8790)
    chosen = options.parse_args()
    data = Path(os.environ.get("AIRSIDE_DATA") or ".airside-demo")
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    Demo(data.resolve(), chosen.port, chosen.agent_port).run()


if __name__ == "__main__":
    main()
