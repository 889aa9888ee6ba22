"""A person who goes through sign-in, workspace choice and consent by forms, like a browser without
JavaScript."""

import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import requests


class Forms(HTMLParser):
    """The POST forms of a page: their actions, fields, and named buttons."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append((attributes.get("action", ""), {}))
        elif tag == "input" and self.found and attributes.get("name"):
            if attributes.get("type") in ("checkbox", "radio") and "checked" not in attributes:
                return
            self.found[-1][1][attributes["name"]] = attributes.get("value", "")

    def having(self, field: str) -> tuple[str, dict[str, str]]:
        """The form that has this field."""
        for action, fields in self.found:
            if field in fields:
                return action, fields
        raise LookupError(f"no form with {field!r} among {self.found}")


class Person:
    """A person with a browser without JavaScript."""

    def __init__(self, base_url: str, email: str, password: str) -> None:
        self.base_url, self.email, self.password = base_url, email, password
        self.session = requests.Session()

    def sign_in(self, page: requests.Response) -> requests.Response:
        """Fill in the sign-in form that the page shows."""
        return self.submit(page, "password", email=self.email, password=self.password)

    def submit(self, page: requests.Response, field: str, **filled: str) -> requests.Response:
        """Submit the form that has `field`, with these values; follows redirects within Airside."""
        action, fields = Forms(page.text).having(field)
        answer = self.session.post(
            urljoin(page.url, action or page.url),
            data={**fields, **filled},
            allow_redirects=False,
            timeout=20,
        )
        return self.follow(answer)

    def open(self, url: str) -> requests.Response:
        return self.follow(self.session.get(urljoin(self.base_url, url), allow_redirects=False, timeout=20))

    def follow(self, answer: requests.Response) -> requests.Response:
        """Follow redirects until they lead away from Airside."""
        while answer.is_redirect:
            target = urljoin(answer.url, answer.headers["Location"])
            if not target.startswith(self.base_url):
                return answer
            answer = self.session.get(target, allow_redirects=False, timeout=20)
        return self.go_on(answer)

    def go_on(self, page: requests.Response) -> requests.Response:
        """A page that forwards its visitor by itself counts as a redirect."""
        found = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]*)">', page.text)
        if found:
            page.status_code, page.headers["Location"] = 303, unescape(found[1])
        return page

    def consent(self, authorize_url: str, workspace: str, decision: str = "allow") -> dict[str, str]:
        """Complete the flow; returns the parameters of the app's redirect URI."""
        page = self.open(authorize_url)
        if 'name="password"' in page.text:
            page = self.sign_in(page)
        if 'name="workspace"' in page.text:
            page = self.submit(page, "request", workspace=workspace)
        answer = self.submit(page, "request", decision=decision)
        assert answer.is_redirect, (answer.status_code, answer.text[:2000])
        query = parse_qs(urlsplit(answer.headers["Location"]).query)
        return {name: values[0] for name, values in query.items()}
