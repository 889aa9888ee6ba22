"""The request parser of a server that supports no protocol upgrade (RFC 9110 §7.8)."""

from typing import Any

import httptools

FRAMING = (b"content-length", b"transfer-encoding")


class Parser:
    """Parses a request with an Upgrade header like any other. httptools stops at it and takes its body for the next
    request, which would allow request smuggling through a proxy."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._parser = new_parser(connection)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)

    @property
    def hides_body(self) -> bool:
        """Whether httptools reports the request as complete although its body hasn't been received."""
        return self._parser.should_upgrade() and bool(self._framing())

    def feed_data(self, data: bytes) -> None:
        """Raises HttpParserError."""
        while data:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as stopped:
                data = data[stopped.args[0] :]
                if self.hides_body:
                    self._parser = new_parser(AfterHead(self._connection))
                    lines = b"".join(b"%s: %s\r\n" % header for header in self._framing())
                    self._parser.feed_data(b"POST / HTTP/1.1\r\n%s\r\n" % lines)
            else:
                return

    def _framing(self) -> list[tuple[bytes, bytes]]:
        return [header for header in self._connection.headers if header[0] in FRAMING]


def new_parser(protocol: Any) -> Any:
    parser = httptools.HttpRequestParser(protocol)
    parser.set_dangerous_leniencies(
        lenient_data_after_close=True
    )  # as in uvicorn: data after a closing request is dropped
    return parser


class AfterHead:
    """Forwards a parser's callbacks to the connection, except those of the first head, which it has already."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._is_known = True
        self.on_body, self.on_message_complete = connection.on_body, connection.on_message_complete

    def on_message_begin(self) -> None:
        if not self._is_known:
            self._connection.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self._is_known:
            self._connection.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_known:
            self._connection.on_header(name, value)

    def on_headers_complete(self) -> None:
        if not self._is_known:
            self._connection.on_headers_complete()
        self._is_known = False
