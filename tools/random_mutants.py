"""Breaks Airside at random places and lists what no test that runs the place detects.

python tools/random_mutants.py [--number N] [--seed S] [--jobs N] [--list] [rooms …]

Where mutants.toml holds what must never break, this finds what nobody thought of. A survivor is a question, not
yet a fault: some change nothing that anybody could see. The same seed chooses the same places of the same code.
"""

import argparse
import ast
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coverage import CoverageData
from mutants import ROOT, copied_tree, run_in_trees, run_mutated

ROOMS = ("rest", "work", "oauth", "webhooks")
NUMBER = 200
MAX_TESTS = 300  # of one place: more would take longer than all other mutants together
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
TABLES = ("Table", "Index", "index_records", "index_parents", "live_unique")  # migrations say what those are


@dataclass(frozen=True)
class Place:
    """One node of one file and what is written there instead."""

    file: str
    line: int
    was: str
    becomes: str
    start: int  # in the bytes of the file
    end: int

    def apply(self, source: str) -> str:
        raw = source.encode()
        return (raw[: self.start] + self.becomes.encode() + raw[self.end :]).decode()


def find_places(file: str) -> Iterator[Place]:
    """Every place of the file that can be broken."""
    source = (ROOT / file).read_text()
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node in walk_code(ast.parse(source)):
        for becomes in break_node(node):
            start = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            was = source.encode()[start:end].decode()
            yield Place(file, node.lineno, was, becomes, start, end)


def walk_code(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but annotations, decorators, docstrings, tables, and what only the type checker reads."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases", "format_spec"):
            continue
        if isinstance(node, ast.ClassDef) and name == "keywords":  # options of a struct, such as frozen
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not is_passed_over(child):
                yield child
                yield from walk_code(child)


def is_passed_over(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return True
    called = getattr(getattr(node, "value", None), "func", None)
    name = getattr(called, "attr", getattr(called, "id", ""))
    return isinstance(node, ast.Assign | ast.Expr) and name in TABLES


def break_node(node: ast.AST) -> Iterator[str]:
    """What could stand in the node's place."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        swapped = [COMPARISONS[type(node.ops[0])](), *node.ops[1:]]
        yield f"({ast.unparse(ast.Compare(node.left, swapped, node.comparators))})"
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield f"({ast.unparse(ast.BoolOp(other, node.values))})"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield f"({ast.unparse(node.operand)})"
    elif isinstance(node, ast.Constant) and type(node.value) in (bool, int):
        yield repr(not node.value if isinstance(node.value, bool) else node.value + 1)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        other_op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield f"({ast.unparse(ast.BinOp(node.left, other_op, node.right))})"
    elif isinstance(node, ast.Return) and node.value is not None:
        yield "return None"
    elif isinstance(node, ast.Raise) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Await | ast.Call)
    ):
        yield "pass"
    elif isinstance(node, ast.IfExp):
        yield f"({ast.unparse(node.body)})"


class Coverage:
    """Which tests run a line, as `make coverage` noted."""

    def __init__(self) -> None:
        self._data = CoverageData(str(ROOT / ".coverage"))
        self._data.read()
        if not any(self._data.measured_contexts()):
            sys.exit("First run `make coverage`, which notes which tests run a line.")

    def find_tests(self, place: Place) -> list[str]:
        """At most MAX_TESTS of the tests that run the place's statement, those of its own room first, or the files
        of tests that import its module, where the statement runs at import."""
        contexts = self._data.contexts_by_lineno(str(ROOT / place.file))
        lines = range(statement_start(place), place.line + place.was.count("\n") + 1)
        found = {one for line in lines for one in contexts.get(line, ()) if "postgres" not in one}
        if "" in found:
            return importing_tests(place)
        room = f"tests/{place.file.split('/')[1]}/"
        return sorted(found, key=lambda test: (not test.startswith(room), test))[:MAX_TESTS]


def statement_start(place: Place) -> int:
    """The first line of the innermost statement that the place is in."""
    tree = ast.parse((ROOT / place.file).read_text())
    starts = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and node.lineno <= place.line <= (node.end_lineno or node.lineno)
    ]
    return max(starts)


def importing_tests(place: Place) -> list[str]:
    module = place.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    room = place.file.split("/")[1]
    return [
        str(path.relative_to(ROOT))
        for path in files
        if f"from {module} import" in path.read_text() or path.is_relative_to(ROOT / "tests" / room)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rooms", nargs="*", default=ROOMS)
    parser.add_argument("--number", type=int, default=NUMBER)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="only name them")
    asked = parser.parse_args()
    print(f"--seed {asked.seed} --number {asked.number} {' '.join(asked.rooms)}", flush=True)
    places = choose_places(asked.rooms, asked.number, asked.seed)
    if asked.list:
        print(*map(show_place, places), sep="\n")
        return
    sys.exit(run_places(places, asked.jobs))


def choose_places(rooms: list[str], number: int, seed: int) -> list[Place]:
    places: list[Place] = []
    for room in rooms:
        for path in sorted((ROOT / "airside" / room).rglob("*.py")):
            places += find_places(str(path.relative_to(ROOT)))
    chosen = random.Random(seed).sample(places, min(number, len(places)))
    return sorted(chosen, key=lambda place: (place.file, place.start))


def run_places(places: list[Place], jobs: int) -> int:
    begun, coverage = time.monotonic(), Coverage()

    def judge(tree: Path, place: Place) -> str:
        tests = coverage.find_tests(place)
        mutated = place.apply((tree / place.file).read_text())
        # One that is "broken" doesn't even import, which everything detects.
        verdict = run_mutated(tree, place.file, mutated, tests)[0] if tests else "survived"
        print(f"{verdict:9}", show_place(place), flush=True)
        return verdict

    with copied_tree() as tree:
        verdicts = run_in_trees(tree, jobs, judge, places)
    survivors = [place for place, verdict in zip(places, verdicts, strict=True) if verdict == "survived"]
    print(f"\n{len(survivors)} of {len(places)} survived in {time.monotonic() - begun:.0f} s:")
    print(*map(show_place, survivors), sep="\n")
    return 1 if survivors else 0


def show_place(place: Place) -> str:
    was, becomes = (" ".join(text.split())[:90] for text in (place.was, place.becomes))
    return f"{place.file}:{place.line}  {was}  →  {becomes}"


if __name__ == "__main__":
    main()
