"""Why a test of an SDK's suite ended as it did, by its requests and their responses.

A test that fails is put down to an operation that isn't served only where that can be shown; all else is WRONG."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.sdk_suites.own_faults import is_own_fault

# What a test puts in the place of a record that it could not make.
MISSING = re.compile(r"\b(?:undefined|None|null|NaN)\b")
NO_SUCH = re.compile(r"\b40[45]\b")
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Placeholders take an id, so that `pages/{page_id}/` isn't taken for what serves `pages/templates/`; but for these:
OTHER_PLACEHOLDERS = {"workspace_slug": "[^/]+", "client_id": "[^/]+", "identifier": r"[^/]+-\d+"}


@dataclass(frozen=True)
class Exchange:
    """A request, whose test asked it (or the hooks of which group of tests), and what it was answered."""

    owner: str
    method: str
    path: str  # without its query
    status: int
    answer: str = ""

    @property
    def operation(self) -> str:
        return f"{self.method} {ID.sub('{id}', self.path)}"


@dataclass(frozen=True)
class Result:
    """How a test ended, as the suite's own runner says it."""

    test: str
    outcome: str  # passed, failed or skipped
    error: str = ""
    of_cleanup: bool = False  # it tells of what came after the test, which has a result of its own


class Kind(StrEnum):
    PASSED = "passed"
    PASSED_WITHOUT = "passed, satisfied with the 404 of an operation that isn't served"
    NOT_SERVED = "failed: asked for an operation that isn't served"
    FOLLOWS = "failed: builds on what such an operation would have made"
    SKIPPED_AFTER = "skipped by itself after such an operation"
    SKIPPED = "skipped for another reason"
    OWN_FAULT = "failed by the suite's own fault, whatever is answered (own_faults.py)"
    UNASKED = "failed before it asked for anything: look at the suite itself"
    WRONG = "failed by a wrong answer"


@dataclass(frozen=True)
class Verdict:
    result: Result
    kind: Kind
    cause: Exchange | None = None


class Served:
    """What `airside routes` lists."""

    def __init__(self, operations: Iterable[tuple[str, str]]) -> None:
        self._patterns: dict[str, list[re.Pattern[str]]] = defaultdict(list)
        for method, path in operations:
            self._patterns[method].append(compile_path(path))

    def takes(self, method: str, path: str) -> bool:
        if not path.startswith("/api/v"):
            return True  # pages, tokens, files: `airside routes` is about the API
        return any(pattern.fullmatch(path) for pattern in self._patterns[method])


def compile_path(path: str) -> re.Pattern[str]:
    an_id = f"(?:{ID.pattern}|{MISSING.pattern})"
    parts = re.split(r"\{(\w+)\}", path)
    for number in range(1, len(parts), 2):
        parts[number] = OTHER_PLACEHOLDERS.get(parts[number], an_id)
    parts[::2] = [re.escape(part) for part in parts[::2]]
    return re.compile("".join(parts), re.IGNORECASE)


class Court:
    """What is known of a suite's run while its results are gone through."""

    def __init__(self, exchanges: Sequence[Exchange], served: Served) -> None:
        self._by_owner: dict[str, list[Exchange]] = defaultdict(list)
        self._unserved: dict[str, list[Exchange]] = defaultdict(list)  # by file
        self._uncreated: dict[str, Exchange] = {}  # by path: what isn't there to be listed
        self._served = served
        for one in exchanges:
            self._by_owner[one.owner].append(one)
            if not served.takes(one.method, one.path):
                self._unserved[file_of(one.owner)].append(one)
                if one.method == "POST":
                    self._uncreated[one.path] = one
        self._errors: dict[tuple[str, str], Exchange] = {}  # by file and words: what was put down to what

    def judge(self, results: Sequence[Result]) -> list[Verdict]:
        """A verdict on each result, and on what hooks were answered that no answer may be."""
        tests = {result.test for result in results}
        hooks = [Result(owner, "passed", of_cleanup=True) for owner in self._by_owner if owner not in tests]
        found = [self._judge(result) for result in (*results, *hooks)]
        return [one for one in found if one.result.test in tests or one.kind is Kind.WRONG]

    def _judge(self, result: Result) -> Verdict:
        asked = self._by_owner[result.test]
        wrong = self._find_wrong(asked, result)
        if wrong:
            return Verdict(result, Kind.WRONG, wrong)
        own = self._find_unserved(asked)
        if result.outcome == "passed":
            return Verdict(result, Kind.PASSED_WITHOUT if own else Kind.PASSED, own)
        if is_own_fault(file_of(result.test), result.error):
            return Verdict(result, Kind.OWN_FAULT)
        if result.outcome == "failed" and not NO_SUCH.search(result.error):
            own = None  # it took the 404 well, and failed by something else
        cause = own or self._find_cause(result, asked)
        if cause:
            self._errors[file_of(result.test), result.error] = cause
        if result.outcome == "skipped":
            return Verdict(result, Kind.SKIPPED_AFTER if cause else Kind.SKIPPED, cause)
        if cause:
            return Verdict(result, Kind.NOT_SERVED if own else Kind.FOLLOWS, cause)
        wrong = asked[-1] if asked else self._find_wrong(self._of_hooks(result), result)
        return Verdict(result, Kind.WRONG if wrong else Kind.UNASKED, wrong)

    def _of_hooks(self, result: Result) -> list[Exchange]:
        return [one for scope in scopes_of(result.test) for one in self._by_owner[scope]]

    def _find_unserved(self, exchanges: Iterable[Exchange]) -> Exchange | None:
        return next((one for one in exchanges if not self._served.takes(one.method, one.path)), None)

    def _find_wrong(self, asked: list[Exchange], result: Result) -> Exchange | None:
        """An answer that is wrong whatever the test makes of it, or that made it fail."""
        for one in asked:
            if self._served.takes(one.method, one.path):
                refused = one.status >= 400 and not MISSING.search(one.path)
                if one.status >= 500 or (refused and result.outcome == "failed"):
                    return one
            elif one.status not in (404, 405):
                return one
        return None

    def _find_cause(self, result: Result, asked: list[Exchange]) -> Exchange | None:
        """The request for an unserved operation on whose answer the test builds, though another one made it."""
        hooks = self._of_hooks(result)
        if not asked and (of_hooks := self._find_unserved(hooks)):
            return of_hooks
        told_by_status = NO_SUCH.search(result.error) and all(one.status < 400 for one in (*asked, *hooks))
        if told_by_status and (file_of(result.test), result.error) in self._errors:
            # Nothing of its own was refused: a fixture that failed for an earlier test isn't made again.
            return self._errors[file_of(result.test), result.error]
        listed = (self._uncreated.get(one.path) for one in asked if one.method == "GET")
        uncreated = next((one for one in listed if one), None)
        if uncreated:
            return uncreated
        if MISSING.search(result.error) or any(MISSING.search(one.path) for one in asked):
            return next(iter(self._unserved[file_of(result.test)]), None)
        return None


def file_of(owner: str) -> str:
    return re.split(r"::| > ", owner, maxsplit=1)[0]


def scopes_of(test: str) -> list[str]:
    """The groups of tests that it stands in, from within, as Jest nests them."""
    parts = test.split(" > ")
    return [" > ".join(parts[:number]) for number in range(len(parts) - 1, 0, -1)]


def family_of(path: str) -> str:
    """What an operation is about: `cycles` for all about cycles, `work-items/relations` for what items have."""
    below = re.sub(rf"^/api/v\d/(workspaces/[^/]+/)?(projects/{ID.pattern}/(?=.))?", "", path)
    words = [
        word for word in below.split("/") if word and not ID.fullmatch(word) and not MISSING.fullmatch(word)
    ]
    if "templates" in words:
        return "templates"
    name = re.sub(r"^archived-|-lite$", "", words[0])
    return "/".join((name, *words[1:2])) if name == "work-items" else name


def count_families(verdicts: Iterable[Verdict]) -> list[tuple[str, int, Counter[str]]]:
    """Family, how many tests it holds up, and its operations that they asked for; most wanted first."""
    held: dict[str, Counter[str]] = defaultdict(Counter)
    for verdict in verdicts:
        if verdict.cause and verdict.kind in (Kind.NOT_SERVED, Kind.FOLLOWS, Kind.SKIPPED_AFTER):
            held[family_of(verdict.cause.path)][verdict.cause.operation] += 1
    return sorted(
        ((family, asked.total(), asked) for family, asked in held.items()), key=lambda one: (-one[1], one[0])
    )
