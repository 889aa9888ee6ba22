"""Code that an app's author can run as it stands: the app's ids and addresses are filled in, secrets are not.

What is filled in is quoted for its language, since a redirect URI may hold quotes and dollar signs.
"""

import json
import shlex
from typing import NamedTuple

from airside.apps.tables import PUBLIC
from airside.db.base import Row
from airside.portal.rendering import render_text

LANGUAGES = (("python", "Python", "py"), ("node", "Node", "mjs"), ("shell", "curl", "sh"))


class Snippet(NamedTuple):
    """`key` tells the languages of one example apart, `words` is what people call it."""

    key: str
    words: str
    code: str


def token_snippets(
    origin: str, app: Row, redirect_uri: str, scope: str, installation_id: str
) -> list[Snippet]:
    """From what the redirect URI was called with to tokens, and to the first call of the API."""
    known = {
        "origin": origin,
        "client_id": app["client_id"],
        "redirect_uri": redirect_uri,
        "scope": scope,
        "installation_id": installation_id,
    }
    return _render("public" if app["client_type"] == PUBLIC else "token", known)


def hook_snippets(origin: str) -> list[Snippet]:
    """A server that checks the signature of what it is sent."""
    python, node, shell = _render("hook", {"origin": origin})
    return [python, node, shell._replace(words="Shell")]


def _render(what: str, known: dict[str, str]) -> list[Snippet]:
    as_literal = {
        name: json.dumps(value) for name, value in known.items()
    }  # Python and JavaScript read it alike
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
