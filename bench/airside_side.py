"""Airside's side: `airside serve`, set up with the command line and the API as an operator and an app would."""

import os
from pathlib import Path
from typing import Any

from environments import BENCH
from processes import Server
from sides import PER_PAGE, Instance, Requests, check_answers, free_port, installed_versions, run_json
from wire import HOST, Request, ask, bearer_get, json_post, token_request

SLUG = "bench"
OWNER = "owner@bench.example"
API = f"/api/v1/workspaces/{SLUG}/projects/"


class AirsideSide:
    name = "airside"

    def __init__(self, executables: Path) -> None:
        self._bin = executables

    def describe(self) -> dict[str, str]:
        return installed_versions(self._bin / "python", ["airside", "uvicorn"])

    def prepare(self, database_url: str, folder: Path, work_items: int) -> Instance:
        port = free_port()
        environment = {
            "AIRSIDE_DATABASE_URL": database_url,
            "AIRSIDE_DATA": str(folder / f"airside-{work_items}"),
            "AIRSIDE_BASE_URL": f"http://{HOST}:{port}",
            "AIRSIDE_API_RATE_LIMIT": "100000000/minute",  # the load comes from one token
            "AIRSIDE_TOKEN_RATE_LIMIT": "100000000/minute",
        }
        os.makedirs(environment["AIRSIDE_DATA"], exist_ok=True)
        command = [str(self._bin / "airside"), "serve", "--host", HOST, "--port", str(port)]
        server = Server(command, environment, port, folder / f"airside-{work_items}.log")
        token = self._install_app(environment, folder)
        ids = _first_records(server, token)
        self._add_rows(database_url, ids["work_item"], work_items - 1)
        instance = Instance(self.name, work_items, server, _reads(ids, token))
        server.start_and_wait()
        try:
            check_answers(instance, "total_count")
        finally:
            server.stop()
        return instance

    def _install_app(self, environment: dict[str, str], folder: Path) -> Request:
        """Migrate, make a workspace, an owner and an installed app; the app's request for a bot token."""

        def airside(*words: str, stdin: str = "") -> dict[str, Any]:
            return run_json([str(self._bin / "airside"), *words, "--json"], environment, stdin, folder)

        airside("migrate")
        airside("user", "create", OWNER, "--password-stdin", stdin="a long password for measuring\n")
        airside("workspace", "create", SLUG, "--name", "Bench", "--owner", OWNER)
        redirect = "http://127.0.0.1:9/callback"
        app = airside("app", "create", "--workspace", SLUG, "--name", "Bench", "--redirect-uri", redirect)
        client_id = app["client_id"]
        installed = airside("app", "install", client_id, "--workspace", SLUG, "--as", OWNER)
        form = f"grant_type=client_credentials&app_installation_id={installed['app_installation_id']}"
        return token_request(client_id, app["client_secret"], form)

    def _add_rows(self, database_url: str, work_item: str, copies: int) -> None:
        script = str(BENCH / "airside_rows.py")
        run_json([str(self._bin / "python"), script, database_url, work_item, str(copies)], {})


def _first_records(server: Server, token: Request) -> dict[str, str]:
    """A project with a label and its first work item, made through the API."""
    server.start_and_wait()
    try:
        bearer = ask(token, server.port)["access_token"]

        def create(target: str, **body: str) -> str:
            return str(ask(json_post(bearer, target, body), server.port)["id"])

        project = create(API, name="Bench", identifier="BENCH")
        return {
            "bearer": bearer,
            "project": project,
            "label": create(f"{API}{project}/labels/", name="measured", color="#336699"),
            "work_item": create(f"{API}{project}/work-items/", name="Work item 1"),
        }
    finally:
        server.stop()


def _reads(ids: dict[str, str], token: Request) -> Requests:
    bearer, project = ids["bearer"], API + ids["project"]
    return Requests(
        token=token,
        label=bearer_get(bearer, f"{project}/labels/{ids['label']}/"),
        work_item=bearer_get(bearer, f"{project}/work-items/{ids['work_item']}/"),
        page=bearer_get(bearer, f"{project}/work-items/?per_page={PER_PAGE}"),
    )
