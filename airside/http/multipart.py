"""Reading a form with files part by part, without holding it in memory (RFC 7578)."""

from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from airside.errors import BadRequest

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FORM = b"multipart/form-data"
STEP_BYTES = 8192  # parsed at once: many tiny parts may hold up the event loop no longer

_PART, _DATA, _END = "part", "data", "end"


class MalformedForm(BadRequest):
    sentence = "The form that was sent can't be read."


class FormSource(Protocol):
    """A request with a form."""

    @property
    def content_type(self) -> str | None: ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body in parts."""
        ...


class Part(NamedTuple):
    """The headers of a part, as its sender wrote them."""

    name: str = ""
    file_name: str = ""
    content_type: str = ""


class FormReader:
    """Go to a part with `next_part`, then `read` its content, if at all. `part` is the present one."""

    def __init__(self, request: FormSource) -> None:
        """Raises MalformedForm for another content type."""
        media_type, options = parse_options_header(request.content_type or "")
        self._chunks = request.chunks()
        self._unparsed = memoryview(b"")
        self.part = Part()
        self._found: deque[tuple[str, bytes]] = deque()
        self._parts: deque[Part] = deque()  # for each of the beginnings in `_found`
        self._is_complete = False
        self._header = [b"", b""]
        self._next_part = Part()
        try:
            self._parser = MultipartParser(options[b"boundary"], self._callbacks())
        except (KeyError, FormParserError):
            raise MalformedForm from None
        if media_type != FORM:
            raise MalformedForm

    async def next_part(self) -> str | None:
        """The name of the next part; None after the last one. Raises MalformedForm."""
        while True:
            found = await self._next()
            if found is None:
                return None
            if found[0] == _PART:
                self.part = self._parts.popleft()
                return self.part.name

    async def read(self, size: int) -> bytes:
        """So many bytes of the part, fewer only at its end. Raises MalformedForm."""
        content = bytearray()
        while len(content) < size and (found := await self._next()) is not None:
            if found[0] == _END:
                self._found.appendleft(found)
                break
            content += found[1]
        if len(content) > size:
            self._found.appendleft((_DATA, bytes(content[size:])))
        return bytes(content[:size])

    async def _next(self) -> tuple[str, bytes] | None:
        while not self._found:
            if self._is_complete:
                return None
            await self._parse_step()
        return self._found.popleft()

    async def _parse_step(self) -> None:
        if not self._unparsed:
            chunk = await anext(self._chunks, None)
            if chunk is None:
                raise MalformedForm
            self._unparsed = memoryview(chunk)
        step, self._unparsed = bytes(self._unparsed[:STEP_BYTES]), self._unparsed[STEP_BYTES:]
        try:
            self._parser.write(step)
        except FormParserError:
            raise MalformedForm from None

    def _callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin_part,
            "on_header_field": lambda data, start, end: self._add_header(0, data[start:end]),
            "on_header_value": lambda data, start, end: self._add_header(1, data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._finish_headers,
            "on_part_data": lambda data, start, end: self._found.append((_DATA, data[start:end])),
            "on_part_end": lambda: self._found.append((_END, b"")),
            "on_end": self._complete,
        }

    def _begin_part(self) -> None:
        self._next_part = Part()

    def _finish_headers(self) -> None:
        self._parts.append(self._next_part)
        self._found.append((_PART, b""))

    def _add_header(self, part: int, data: bytes) -> None:
        self._header[part] += data

    def _end_header(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            options = parse_options_header(value)[1]
            self._next_part = self._next_part._replace(
                name=_text(options.get(b"name", b"")), file_name=_text(options.get(b"filename", b""))
            )
        elif name.lower() == b"content-type":
            self._next_part = self._next_part._replace(content_type=_text(value))
        self._header = [b"", b""]

    def _complete(self) -> None:
        self._is_complete = True


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
