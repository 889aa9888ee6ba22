"""Sends the recorded requests to a running instance, one after the other, and compares its answers."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp

from airside.gateway.contract.comparison import (
    Names,
    compare,
    compare_shapes,
    compare_texts,
    is_array,
    is_object,
)
from airside.gateway.contract.exchanges import Exchange

PASSWORD = "Tr0ub4dor&3-horse"
USER_AGENT = "python-httpx/0.28.1"
Hook = Callable[["Replay"], Awaitable[None] | None]


@dataclass
class Replay:
    """One session. `replaced`: recorded texts by given ones, such as origins; `keys`: the API key of each sender
    who has no headers of their own; `before`: what happened between two exchanges without being recorded, by the
    number of the second."""

    url: str
    names: Names = field(default_factory=Names)
    replaced: dict[str, str] = field(default_factory=dict[str, str])
    keys: Mapping[str, str] = field(default_factory=dict[str, str])
    before: Mapping[int, Hook] = field(default_factory=dict[int, Hook])
    more_headers: Mapping[int, dict[str, str]] = field(default_factory=dict[int, dict[str, str]])
    passwords: dict[int, str] = field(default_factory=dict[int, str])
    key_names: Mapping[int, str] = field(default_factory=dict[int, str])
    unordered: frozenset[int] = frozenset()
    shape_only: frozenset[int] = frozenset()
    after: Callable[[Exchange], Awaitable[None]] | None = None
    settle: Callable[[Exchange], Awaitable[None]] | None = None
    differences: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    _jars: dict[str | None, dict[str, str]] = field(default_factory=dict[str | None, dict[str, str]])
    _last_nth: dict[str, int] = field(default_factory=dict[str, int])

    async def run(self, exchanges: tuple[Exchange, ...]) -> None:
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(cookie_jar=jar, auto_decompress=True) as client:
            for exchange in exchanges:
                if self.settle:
                    await self.settle(exchange)
                hook = self.before.get(exchange.n)
                outcome = hook(self) if hook else None
                if outcome is not None:
                    await outcome
                try:
                    self.differences[exchange.n] = await self._exchange(client, exchange)
                except (aiohttp.ClientError, TimeoutError) as error:
                    self.differences[exchange.n] = [f"no answer: {error or type(error).__name__}"]
                if self.after:
                    await self.after(exchange)

    async def _exchange(self, client: aiohttp.ClientSession, exchange: Exchange) -> list[str]:
        headers, raw = self._request(exchange)
        path = self._text(exchange.path)
        for _ in range(self._left_out(exchange)):
            async with client.request(exchange.method, self.url + path, data=raw, headers=headers):
                pass
        async with client.request(
            exchange.method, self.url + path, data=raw, headers=headers, allow_redirects=False
        ) as response:
            body = await response.read()
            self._keep_cookies(exchange, response)
            if response.status != exchange.status:
                return [f"{exchange.status} recorded, {response.status} given: {body[:300]!r}"]
            return self._headers(exchange, response) + self._body(exchange, body)

    def sign_in(self, sender: str, cookies: dict[str, str]) -> None:
        """The sender has these already."""
        self._jars[sender] = dict(cookies)
        for name, value in cookies.items():
            self.names.secrets[f"{name}:{sender}"] = value

    def translated(self, body: Any) -> Any:
        return json.loads(self._text(json.dumps(body)))

    def _left_out(self, exchange: Exchange) -> int:
        """How many equal requests before this one weren't kept."""
        if exchange.nth_request is None:
            return 0
        last = self._last_nth.get(exchange.step, 0)
        self._last_nth[exchange.step] = exchange.nth_request
        return exchange.nth_request - last - 1

    def _request(self, exchange: Exchange) -> tuple[dict[str, str], bytes | None]:
        headers = {"user-agent": USER_AGENT, **{n: self._text(v) for n, v in exchange.headers.items()}}
        headers |= self.more_headers.get(exchange.n, {})
        if "cookie" in exchange.headers:
            headers["cookie"] = self._cookie_header(exchange)
        if exchange.sender is not None and exchange.sender in self.keys:
            headers["x-api-key"] = self.keys[exchange.sender]
        if exchange.raw is not None:
            return headers, _raw(exchange.raw)
        if exchange.body is None:
            return headers, None
        password = self.passwords.get(exchange.n, PASSWORD)
        body = json.loads(self._text(json.dumps(exchange.body).replace("<password>", password)))
        form = exchange.headers.get("content-type", "").startswith("application/x-www-form")
        return headers, (urlencode(body) if form else json.dumps(body)).encode()

    def _cookie_header(self, exchange: Exchange) -> str:
        """Those that were sent then, with what this sender was given, or the one they were borrowed from."""
        jar, parts = self._jars.get(exchange.sender, {}), exchange.headers["cookie"].split("; ")
        pairs = [part.partition("=") for part in parts]
        return "; ".join(f"{name}={jar.get(name, self.names.translate(value))}" for name, _, value in pairs)

    def _keep_cookies(self, exchange: Exchange, response: aiohttp.ClientResponse) -> None:
        jar = self._jars.setdefault(exchange.sender, {})
        for text in response.headers.getall("set-cookie", []):
            name, _, value = text.split(";")[0].partition("=")
            jar[name] = value.strip('"')

    def _text(self, text: str) -> str:
        for recorded, given in self.replaced.items():
            text = text.replace(recorded, given)
        return self.names.translate(text)

    def _headers(self, exchange: Exchange, response: aiohttp.ClientResponse) -> list[str]:
        differences: list[str] = []
        for name, recorded in exchange.answer_headers.items():
            given = response.headers.getall(name, [])
            if name == "set-cookie":
                differences += self._cookies(recorded if is_array(recorded) else [recorded], given)
            elif name in ("location", "content-type"):
                differences += compare_texts(self._origin(recorded), (given or [""])[0], self.names, name)
            elif name in ("retry-after", "x-ratelimit-remaining") and not given:
                differences.append(f"{name} recorded, not given")
        if response.headers.get("location") and "location" not in exchange.answer_headers:
            differences.append("location given, not recorded")
        if response.headers.get("set-cookie") and "set-cookie" not in exchange.answer_headers:
            differences.append("set-cookie given, not recorded")
        return differences

    def _cookies(self, recorded: list[str], given: list[str]) -> list[str]:
        if len(recorded) != len(given):
            return [f"{len(recorded)} cookies recorded, {len(given)} given"]
        differences: list[str] = []
        for one, other in zip(recorded, given, strict=True):
            flags = [sorted(part.strip() for part in text.split(";")[1:]) for text in (one, other)]
            texts = [
                "; ".join([text.split(";")[0], *parts])
                for text, parts in zip((one, other), flags, strict=True)
            ]
            differences += compare_texts(texts[0], texts[1], self.names, "set-cookie")
        return differences

    def _origin(self, text: str) -> str:
        for recorded, given in self.replaced.items():
            text = text.replace(recorded, given)
        return text

    def _body(self, exchange: Exchange, body: bytes) -> list[str]:
        if exchange.answer is None:
            return [] if len(body) == 0 else [f"no body recorded, {body[:200]!r} given"]
        if isinstance(exchange.answer, str):
            return (
                []
                if body.decode("utf-8", "replace")[:30] == exchange.answer[:30]
                else [f"{body[:80]!r} given"]
            )
        recorded = json.loads(self._origin(json.dumps(exchange.answer)))
        try:
            given = json.loads(body)
        except ValueError:
            return [f"JSON recorded, {body[:300]!r} given"]
        if exchange.n in self.shape_only:
            found = compare_shapes(recorded, given, self.names)
        else:
            found = compare(recorded, given, self.names, unordered=exchange.n in self.unordered)
        if exchange.n in self.key_names and "api-key" in self.names.secrets:
            self.names.secrets[self.key_names[exchange.n]] = self.names.secrets["api-key"]
        return found


def _raw(text: str) -> bytes:
    """One that is too long was recorded by its size alone."""
    if text.endswith(" bytes)"):
        size = int(text.rpartition("(")[2].split()[0])
        return b'{"name":"' + b"x" * (size - 11) + b'"}'
    return text.encode()


def moments(answer: Any) -> list[str]:
    """The times in an answer that were taken when it was given."""
    return [found for name in ("created_at", "updated_at") for found in _times(answer, name)]


def _times(answer: Any, name: str) -> list[str]:
    if is_array(answer):
        return [found for entry in answer for found in _times(entry, name)]
    if not is_object(answer):
        return []
    own: list[str] = [answer[name]] if isinstance(answer.get(name), str) else []
    return own + [found for value in answer.values() for found in _times(value, name)]
