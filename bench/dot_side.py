"""The peer's side: django-oauth-toolkit with Django REST framework under one server process."""

from pathlib import Path
from typing import Any, Literal

from environments import BENCH
from processes import Server
from sides import PER_PAGE, Instance, Requests, check_answers, free_port, installed_versions, run_json
from wire import HOST, ask, bearer_get, token_request

PeerServer = Literal["granian", "gthread", "sync"]


class DotSide:
    """`hash_secret` is the toolkit's default; off, it compares the client secret as it is, which is faster."""

    name = "dot"

    def __init__(self, executables: Path, server: PeerServer, hash_secret: bool) -> None:
        self._bin, self._server, self._hash_secret = executables, server, hash_secret

    def describe(self) -> dict[str, str]:
        packages = ["django-oauth-toolkit", "djangorestframework", "Django", "granian", "gunicorn"]
        versions = installed_versions(self._bin / "python", packages)
        return versions | {
            "server": self._server,
            "client secret": "hashed" if self._hash_secret else "plain",
        }

    def prepare(self, database_url: str, folder: Path, work_items: int) -> Instance:
        environment = {
            "PYTHONPATH": str(BENCH / "peers"),
            "DJANGO_SETTINGS_MODULE": "dot.settings",
            "BENCH_DATABASE_URL": database_url,
        }
        seed = [str(self._bin / "python"), "-m", "dot.seed", str(work_items)]
        ids = run_json(seed + ["--hash-secret"] * self._hash_secret, environment)
        port = free_port()
        server = Server(self._command(port), environment, port, folder / f"dot-{work_items}.log")
        token = token_request(
            ids["client_id"], ids["client_secret"], "grant_type=client_credentials&scope=read"
        )
        server.start_and_wait()
        try:
            bearer = ask(token, port)["access_token"]
            instance = Instance(self.name, work_items, server, _reads(bearer, ids, token))
            check_answers(instance, "count")
        finally:
            server.stop()
        return instance

    def _command(self, port: int) -> list[str]:
        """One worker with one thread: more threads only take the interpreter's lock from each other."""
        gunicorn = [str(self._bin / "gunicorn"), "dot.wsgi", "-b", f"{HOST}:{port}", "-w", "1"]
        granian = [str(self._bin / "granian"), "--interface", "wsgi", "--no-log"]
        granian += ["--workers", "1", "--blocking-threads", "1", "--host", HOST, "--port", str(port)]
        return {
            "granian": [*granian, "dot.wsgi:application"],
            "gthread": [*gunicorn, "-k", "gthread", "--threads", "1"],
            "sync": gunicorn,
        }[self._server]


def _reads(bearer: str, ids: dict[str, Any], token: Any) -> Requests:
    project = f"/api/v1/workspaces/{ids['slug']}/projects/{ids['project']}"
    return Requests(
        token=token,
        label=bearer_get(bearer, f"{project}/labels/{ids['label']}/"),
        work_item=bearer_get(bearer, f"{project}/work-items/{ids['work_item']}/"),
        page=bearer_get(bearer, f"{project}/work-items/?per_page={PER_PAGE}"),
    )
