"""What people and apps write is shown as text, in a browser that would run it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import requests
from playwright.sync_api import Browser, Dialog

from tests.pages.demo import Demo, running_demo
from tests.pages.places import PAGES, SIGNED_OUT
from tests.support.browser import running_browser

RUN = "window.pwned=1"
NASTY = (
    f'"><img src=x onerror={RUN}><svg/onload={RUN}><script>{RUN}</script>'
    f"'-{RUN}-'</title></textarea></style><iframe srcdoc='<script>parent.pwned=1</script>'>"
    f"<a href=javascript:{RUN}>{{{{7*7}}}}${{7*7}}</a><math><mtext><style><img src=x onerror={RUN}>"
)
LINK = (
    f"https://evil.example/{NASTY}"  # that it is one is checked on the way in: see test_pt1_a_link_is_http…
)
# As people and apps can write them, whatever is checked on the way in.
TEXTS = {
    "users": ("display_name", "first_name", "last_name"),
    "workspaces": ("name",),
    "apps": ("name", "short_description", "contact_email", "organization_name"),
    "app_secrets": ("name",),
    "api_keys": ("label",),
    "webhook_endpoints": ("title", "filter_pql"),
    "webhook_attempts": ("request_body", "response_body", "error"),
    "projects": ("name", "description"),
    "work_items": ("name",),
    "states": ("name", "description", "color"),
    "labels": ("name", "description", "color"),
    "sessions": ("user_agent",),
}
LINKS = {
    "users": ("avatar_url",),
    "workspaces": ("logo_url",),
    "apps": ("logo_url", "setup_url", "website", "privacy_policy_url", "terms_of_service_url"),
    "webhook_endpoints": ("url",),
}
FOUND = """() => ({
  ran: "pwned" in window,
  inline: document.querySelectorAll("script:not([src]), iframe, object, embed, style, math").length,
  handlers: [...document.querySelectorAll("*")].flatMap((one) =>
    one.getAttributeNames().filter((name) => name.startsWith("on") || name === "srcdoc" || name === "style")),
  links: [...document.querySelectorAll("[href], [src], [action], [formaction]")].flatMap((one) =>
    ["href", "src", "action", "formaction"].map((name) => one.getAttribute(name) ?? "").filter((url) =>
      /^\\s*(javascript|vbscript|data:text)/i.test(url))),
})"""
NOTHING = {"ran": False, "inline": 0, "handlers": [], "links": []}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@pytest.fixture(scope="module")
def spoiled(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Everything that somebody could have written says something nasty."""
    folder = tmp_path_factory.mktemp("spoiled")
    with running_demo(folder) as demo:
        write_html(demo)
        write_texts(folder / "data" / "airside.db")
        yield demo


def write_html(demo: Demo) -> None:
    """Through the API, which keeps of HTML what is harmless."""
    below = f"{demo.server.url}/api/v1/workspaces/acme/projects/{demo.known['project_id']}/work-items"
    options = {"headers": {"X-API-Key": demo.api_key}, "timeout": 30}
    item = requests.post(
        f"{below}/", json={"name": NASTY[:200], "description_html": f"<p>{NASTY}</p>"}, **options
    ).json()
    demo.known["identifier"] = f"APO-{item['sequence_id']}"
    requests.post(
        f"{below}/{item['id']}/comments/", json={"comment_html": f"<p>{NASTY}</p>"}, **options
    ).raise_for_status()


def write_texts(path: Path) -> None:
    with sqlite3.connect(path, timeout=20) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for chosen, value in ((TEXTS, NASTY), (LINKS, LINK)):
            for table, columns in chosen.items():
                for column in columns:
                    connection.execute(f"UPDATE {table} SET {column} = ? || rowid", (value,))
        for column in {"content", "published", "submitted"} & _columns(connection, "listings", tables):
            rows = connection.execute(f"SELECT rowid, {column} FROM listings WHERE {column} IS NOT NULL")
            for rowid, content in rows.fetchall():
                nasty = msgspec.json.encode(_spoil(msgspec.json.decode(content))).decode()
                connection.execute(f"UPDATE listings SET {column} = ? WHERE rowid = ?", (nasty, rowid))


def _columns(connection: sqlite3.Connection, table: str, tables: set[str]) -> set[str]:
    if table not in tables:
        return set()
    return {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}


def _spoil(content: dict[str, object]) -> dict[str, object]:
    texts = ("name", "tagline", "description", "publisher", "contact_email")
    links = ("website", "privacy_policy_url", "terms_of_service_url", "support_url")
    return {key: NASTY if key in texts else LINK if key in links else value for key, value in content.items()}


def test_pt1_nothing_that_anybody_wrote_runs_on_any_page(browser: Browser, spoiled: Demo) -> None:
    """Every page, with every text and address in it turned into something that wants to be run."""
    context = browser.new_context()
    context.add_cookies([{"name": "airside_session", "value": spoiled.session, "url": spoiled.server.url}])
    page, complaints, dialogs = context.new_page(), list[str](), list[str]()
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.on("dialog", lambda asked: _note(dialogs, asked))
    for template in PAGES:
        if template.startswith(SIGNED_OUT):
            continue
        path = spoiled.path_of(template)
        answer = page.goto(f"{spoiled.server.url}{path}", wait_until="load")
        assert answer is not None
        assert answer.status < 500, path
        assert page.evaluate(FOUND) == NOTHING, path
        assert [one for one in complaints if "Content Security Policy" in one] == [], path
    assert dialogs == []
    context.close()


def _note(dialogs: list[str], asked: Dialog) -> None:
    dialogs.append(asked.message)
    asked.dismiss()
