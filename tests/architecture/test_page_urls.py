"""Every link to a page is made by `page_url`: a path written by hand would miss AIRSIDE_PAGES_PREFIX."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "airside"
TEMPLATES = PACKAGE / "portal" / "templates"
LINKS = r"(?:href|src|action|formaction|poster|hx-(?:get|post|put|patch|delete|push-url|replace-url))"
MADE = re.compile(r"\{\{ (?:page_url|static)\(|' ~ page_url\(|#|mailto:|true\"")
# What leads elsewhere, or to a picture of the API.
ELSEWHERE = {
    "app.privacy_policy_url", "app.terms_of_service_url", "app.website", "asked.url", "link.url",
    "run.external_link", "shot.src",
}  # fmt: skip
SENDERS = {  # who may set where a response leads; an import only reads it
    "portal/rendering.py", "portal/sent_once.py", "rest/", "assets/", "moving/remote_client.py",
}  # fmt: skip
FORWARDERS = {  # who leads to a URL that is made already: an app's, or that of a file in a bucket
    "portal/rendering.py", "portal/errors.py", "portal/oauth/authorize.py", "portal/work/attachments.py",
}  # fmt: skip
WIRE = ("/auth/o/", "/api/")  # what follows the origin in an address that clients use
NAMED = {"API", "DOWNLOAD_PATH", "RESOURCE", "UPLOAD_PATH", "path"}  # the same, by name


def test_templates_make_links_with_page_url() -> None:
    for path in TEMPLATES.rglob("*.html"):
        text = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)
        for found in re.finditer(rf'\b{LINKS}="(.{{0,60}})', text):
            value = found[1]
            is_elsewhere = re.match(r"\{\{ ([\w.]+) \}\}", value)
            assert MADE.match(value) or (is_elsewhere and is_elsewhere[1] in ELSEWHERE), (path.name, found[0])
        assert re.findall(r'="/[^"]*|="\{\{ "/[^"]*', text) == [], path.name  # in any other attribute


def test_scripts_have_no_path_of_a_page() -> None:
    for path in (PACKAGE / "portal" / "static").glob("*.js"):
        if path.name != "htmx.min.js":
            assert re.findall(r"(?<!\$=)[\"'`]/[a-z][^\"'`]*", path.read_text()) == [], path.name


def test_absolute_links_to_pages_are_made_with_page_address() -> None:
    for path in PACKAGE.rglob("*.py"):
        for made in ast.walk(ast.parse(path.read_text())):
            if isinstance(made, ast.JoinedStr):
                for after in find_after_origin(made):
                    assert is_wire(after), (path.name, ast.unparse(made))


def find_after_origin(made: ast.JoinedStr) -> Iterator[ast.expr]:
    """What the text has after the origin of this instance."""
    for part, after in zip(made.values, made.values[1:], strict=False):
        if isinstance(part, ast.FormattedValue) and re.search(r"\borigin$", ast.unparse(part.value)):
            yield after


def is_wire(part: ast.expr) -> bool:
    if isinstance(part, ast.FormattedValue):
        return ast.unparse(part.value) in NAMED
    text = ast.literal_eval(part)
    return not text.startswith("/") or text.startswith(WIRE)


def test_only_redirect_and_forward_set_where_a_page_leads() -> None:
    """`redirect` makes the link; `forward` takes one that is made already, or an app's."""
    for path in PACKAGE.rglob("*.py"):
        name, text = str(path.relative_to(PACKAGE)), path.read_text()
        if re.search(r"[\"'](?:Location|HX-(?:Redirect|Location|Push-Url|Replace-Url))[\"']", text):
            assert name.startswith(tuple(SENDERS)), name
        if name.startswith("portal/") and re.search(r"(?<!def )\bforward\(", text):
            assert name in FORWARDERS, name


def test_only_one_function_sets_cookies() -> None:
    """It gives each the path below which the pages are."""
    senders = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if re.search(r"resp\.set_cookie\(|Set-Cookie", path.read_text())
    }
    assert senders == {"portal/cookies.py"}
