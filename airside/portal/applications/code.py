"""Code samples that an app's author can run unchanged: ids and URLs are filled in, secrets are not.

Filled-in values are quoted for their language, since a redirect URI may contain quotes and dollar signs.
"""

import json
import shlex
from typing import NamedTuple
from urllib.parse import urlsplit

from airside.apps.tables import PUBLIC
from airside.db.base import Row
from airside.portal.rendering import render_text

LOCAL_PORT = 9000  # of the example that the command line posts to
LANGUAGES = (("python", "Python", "py"), ("node", "Node", "mjs"), ("shell", "curl", "sh"))


class Snippet(NamedTuple):
    """`key` identifies the language within one example, `words` is its label."""

    key: str
    words: str
    code: str


def token_snippets(
    origin: str, app: Row, redirect_uri: str, scope: str, installation_id: str
) -> list[Snippet]:
    """Exchange the redirect URI's parameters for tokens, and make the first API call."""
    known = {
        "origin": origin,
        "client_id": app["client_id"],
        "redirect_uri": redirect_uri,
        "scope": scope,
        "installation_id": installation_id,
    }
    return _render("public" if app["client_type"] == PUBLIC else "token", known)


def listen_commands(origin: str, app: Row) -> tuple[str, str]:
    """Sign the command line in, and forward the app's webhooks to a local port, at its webhook URL's path."""
    path = urlsplit(app["webhook_url"] or "").path or "/"
    listen = ["airside", "listen", "--app", app["client_id"], "--base-url", origin]
    listen += ["--forward-to", f"http://127.0.0.1:{LOCAL_PORT}{path}"]
    return shlex.join(["airside", "login", "--base-url", origin]), shlex.join(listen)


def manifest_commands(app: Row, email: str) -> tuple[str, str]:
    """For the machine that runs Airside: export the app's manifest to a file, and apply it."""
    export = ["airside", "app", "manifest", "export", app["client_id"]]
    apply = ["airside", "app", "manifest", "apply", "airside.yaml", "--app", app["client_id"], "--as", email]
    return f"{shlex.join(export)} > airside.yaml", shlex.join(apply)


def key_command(origin: str, key: str) -> str:
    """The first call with an API key, for the page that shows the key once."""
    return shlex.join(["curl", "-sS", f"{origin}/api/v1/users/me/", "-H", f"X-API-Key: {key}"])


def hook_snippets(origin: str) -> list[Snippet]:
    """A webhook receiver that verifies signatures."""
    python, node, shell = _render("hook", {"origin": origin})
    return [python, node, shell._replace(words="Shell")]


def _render(what: str, known: dict[str, str]) -> list[Snippet]:
    # A JSON string is a literal in Python and JavaScript.
    as_literal = {name: json.dumps(value) for name, value in known.items()}
    as_word = {name: shlex.quote(value) for name, value in known.items()}
    return [
        Snippet(
            key,
            words,
            render_text(
                f"applications/code/{what}.{suffix}.txt",
                given=known,
                **(as_word if key == "shell" else as_literal),
            ),
        )
        for key, words, suffix in LANGUAGES
    ]
