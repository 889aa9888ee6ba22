"""Bounds on the depth and size of HTML, checked before parsing, since the parser's time grows with both.

The count follows the HTML standard's tokenizer, and closes an element only where the parser certainly does. So for
badly nested markup it counts more than the parser would build, never less.
"""

import re
from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

MAX_DEPTH = 100  # nested elements
MAX_ELEMENTS = 20_000
MAX_ATTRIBUTES = 64  # of one element
MAX_ESCAPES = 2_000  # "&" and non-breaking spaces in one element's attributes

_SPACE = r"\t\n\f\r "
_NAME = rf"[^{_SPACE}/>][^{_SPACE}/>=]*+"
_VALUE = rf"""(?:"[^"]*+"?|'[^']*+'?|[^{_SPACE}>"'][^{_SPACE}>]*+)"""
_ATTRIBUTE = rf"{_NAME}(?:[{_SPACE}]*+=[{_SPACE}]*+{_VALUE}?)?+"
_TOKEN = re.compile(
    rf"<(?=[a-zA-Z/!?])(?:"
    rf"(?P<end>/?)(?P<name>[a-zA-Z][^{_SPACE}/>]*+)"
    rf"(?:[{_SPACE}/]*+{_ATTRIBUTE}){{0,{MAX_ATTRIBUTES}}}+[{_SPACE}/]*+(?P<close>>?)"
    rf"|(?P<comment>!--)(?:-?>)?|[!?/][^>]*>?)"
)
_COMMENT_END = re.compile("--!?>")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


VOID = _names(
    "area base basefont bgsound br col embed frame hr image img input keygen link meta param source track wbr"
)
_FORMATTING = _names("a b big code em font i nobr s small strike strong tt u")
_HEADINGS = _names("h1 h2 h3 h4 h5 h6")
_BLOCKS = _HEADINGS | _names(
    "address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure footer"
    " header hgroup hr li main menu nav ol p pre search section summary ul"
)
# Start tag → the elements that it closes.
_BEGINS: dict[str, tuple[AbstractSet[str], ...]] = {
    "li": ({"li"},), "dd": ({"dd", "dt"},), "dt": ({"dd", "dt"},), "option": ({"option"},), "td": ({"td", "th"},),
    "th": ({"td", "th"},), "tr": ({"td", "th"}, {"tr"}),
    **dict.fromkeys(("tbody", "thead", "tfoot"), ({"td", "th"}, {"tr"}, {"tbody", "thead", "tfoot"})),
}  # fmt: skip
# An end tag closes these implicitly, with nothing else in between.
_IMPLIED = _names("dd dt li optgroup option p rb rp rt rtc")
# Elements that stop the implicit closing.
_STOP_P = _names("table td th caption button object template")
_STOP = _STOP_P | (_BLOCKS - {"address", "div"}) | {"tr", "tbody", "thead", "tfoot"}
_SECTIONS = _names("tbody tfoot thead")
_CELLS = _names("td th")
_TABLE = _SECTIONS | _CELLS | {"table", "tr"}
_PLACES = {
    "tr": _SECTIONS | {"table"}, **dict.fromkeys(_CELLS, _SECTIONS | {"table", "tr"}),
    **dict.fromkeys((*_SECTIONS, "colgroup", "caption"), frozenset({"table"})),
}  # fmt: skip
_RAW = _names("iframe noembed noframes noscript script style textarea title xmp")
_RAW_ENDS = {name: re.compile(rf"</{name}(?=[{_SPACE}/>])[^>]*>", re.I) for name in _RAW}
_IGNORED = _names("body frame frameset head html")
# Inside of these the parser follows other rules, so the text from there on is limited to MAX_FOREIGN.
_FOREIGN = _names("math svg")
MAX_FOREIGN = 5_000  # characters
_ANY_START = re.compile("<[a-zA-Z]")


def read_tokens(text: str) -> Iterator[tuple[int, int, re.Match[str]]]:
    """The start and end of each tag or comment; the raw text of a script belongs to its tag.

    A tag without `close` has been cut off, or has too many attributes."""
    at = 0
    while token := _TOKEN.search(text, at):
        at = token.end()
        name = (token["name"] or "").lower()
        if token["comment"] and not token[0].endswith(">"):
            at = _end_of(_COMMENT_END.search(text, at), text)
        elif name in _RAW and not token["end"]:
            at = _end_of(_RAW_ENDS[name].search(text, at), text)
        yield token.start(), at, token


def _end_of(found: re.Match[str] | None, text: str) -> int:
    return len(text) if found is None else found.end()


def find_excess(text: str) -> str | None:
    """The exceeded bound, as a sentence; None within the bounds."""
    if len(text) <= MAX_DEPTH:
        return None
    return _Count().read(text)


def split_runs(text: str) -> str:
    """Split long runs of text by empty comments, which the sanitizer removes again.

    Serializing "&" takes time proportional to the rest of its run, so runs with many are kept short."""
    if text.count("&") + text.count("\xa0") <= MAX_ESCAPES:
        return text
    parts: list[str] = []
    at = 0
    for start, end, _ in read_tokens(text):
        parts += [_split(text[at:start]), text[start:end]]
        at = end
    return "".join([*parts, _split(text[at:])])


def _split(run: str) -> str:
    return run if len(run) <= _RUN else _PIECE.sub(r"\g<0><!---->", run)


_RUN = 4_000
# Cut right before "&" or a non-breaking space, so that a reference such as "&nbsp;" stays whole.
_PIECE = re.compile(rf"(?s:.){{{_RUN}}}[^&\xa0]*+")


class _Count:
    """One pass over a text: its open elements, and the number of elements so far."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._sure = 0  # index in _open from which on the parser has the same elements open
        self._left: Counter[str] = Counter()  # formatting closed with its parent: the parser reopens it
        self._elements = self._deepest = 0

    def read(self, text: str) -> str | None:
        for number, (_, at, token) in enumerate(read_tokens(text)):
            name = (token["name"] or "").lower()
            if token["name"] and not token["close"]:
                return None if at == len(text) else f"An element has more than {MAX_ATTRIBUTES} attributes."
            if token[0].count("&") + token[0].count("\xa0") > MAX_ESCAPES:
                return "The attributes of an element are too long."
            if name in _FOREIGN and not token["end"]:
                return self._read_foreign(text, at)
            self._take(name, is_end=token["end"] == "/")
            if self._elements > MAX_ELEMENTS or number > 3 * MAX_ELEMENTS:
                return f"It has more than {MAX_ELEMENTS} elements."
            if self._deepest > MAX_DEPTH:
                return f"Its elements are nested more than {MAX_DEPTH} deep."
        return None

    def _take(self, name: str, *, is_end: bool) -> None:
        if not name or name in _IGNORED:
            return
        if is_end:
            self._end(name)
        elif name in _RAW:
            self._elements += 1
        else:
            self._start(name)

    def _read_foreign(self, text: str, at: int) -> str | None:
        depth = len(self._open) + self._left.total() + len(_ANY_START.findall(text, at - 1))
        if len(text) - at > MAX_FOREIGN or depth > MAX_DEPTH:
            return "Leave out svg and math, which aren't kept."
        return None

    def _start(self, name: str) -> None:
        self._elements += 1 + self._left.total()
        self._close_before(name)
        if not self._is_in_place(name):
            self._sure = len(self._open) + 1
        if name not in VOID:
            self._open.append(name)
        self._deepest = max(self._deepest, len(self._open) + self._left.total())

    def _close_before(self, name: str) -> None:
        """Close the elements that this start tag closes."""
        if name in _BLOCKS or name == "table":
            self._close_to({"p"}, _FORMATTING, _STOP_P)
        if name in _HEADINGS and self._open and self._open[-1] in _HEADINGS:
            self._pop(len(self._open) - 1)
        for closed in _BEGINS.get(name, ()):
            self._close_to(closed, {"p"} | _FORMATTING, _STOP)

    def _is_in_place(self, name: str) -> bool:
        """Whether the parser inserts it at its place in the text, into the innermost open element."""
        innermost = self._open[-1] if self._open else ""
        if name in _PLACES:
            return innermost in _PLACES[name] and self._sure < len(self._open)
        if innermost in _TABLE - _CELLS or innermost in ("caption", "colgroup"):
            return False
        return name not in ("a", "nobr") or name not in self._open

    def _end(self, name: str) -> None:
        self._elements += self._left.total()
        if name == "br" or (name == "p" and name not in self._open):
            self._elements += 1  # such an end tag creates an element
        if name in VOID:
            return
        if self._open and self._open[-1] == name:
            self._pop(len(self._open) - 1)
        elif name in _BLOCKS:
            self._close_to({name}, _IMPLIED | _FORMATTING)
        elif name in _TABLE:
            self._close_to({name}, _IMPLIED | _FORMATTING | _TABLE - {"table"})
        elif name in _FORMATTING:
            self._end_formatting(name)
        else:
            self._sure = len(self._open)

    def _end_formatting(self, name: str) -> None:
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at] not in _FORMATTING:
                break
            if self._open[at] == name:
                del self._open[at]
                self._sure = len(self._open)
                return
        self._sure = len(self._open)
        if name not in self._open and self._left[name]:
            self._left[name] -= 1

    def _close_to(
        self, names: AbstractSet[str], over: AbstractSet[str], stop: AbstractSet[str] = frozenset()
    ) -> None:
        """Close the nearest of `names`, with only `over` in between; `_sure` moves to the end when uncertain."""
        for at in range(len(self._open) - 1, self._sure - 1, -1):
            if self._open[at] in names:
                self._pop(at)
                return
            if self._open[at] not in over:
                if self._open[at] in stop:
                    return
                break
        if not names.isdisjoint(self._open):
            self._sure = len(self._open)

    def _pop(self, at: int) -> None:
        self._left.update(one for one in self._open[at + 1 :] if one in _FORMATTING)
        del self._open[at:]
        self._sure = min(self._sure, at)
