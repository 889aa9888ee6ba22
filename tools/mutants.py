"""Breaks Airside on purpose, one line at a time, and runs the tests that have to notice.

python tools/mutants.py [--jobs N] [--list] [words of names …]

mutants.toml has the list. Each mutant is applied to a copy of the checkout; the tests that it names, of its own
room, run there on SQLite until one fails. Ends with 1 when a mutant survives, no longer applies, or breaks more
than a test can say (it doesn't import), and when the tests fail without any mutant.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "tools" / "mutants.toml"
PASSED, FAILED = 0, 1  # pytest's exit codes; the others mean that it didn't get to the tests' verdict
LATE = -1  # they took too long; a test that hangs fails by itself, after TEST_SECONDS
SECONDS, TEST_SECONDS = 600, 60
Item, Result = TypeVar("Item"), TypeVar("Result")
VERDICTS = {PASSED: "survived", FAILED: "killed", LATE: "late"}


@dataclass(frozen=True)
class Mutant:
    """One line of one file, and what is put in its place."""

    name: str  # the promise that it breaks
    file: str
    line: str  # without indentation; the only one like it, or the first after `below`
    put: str
    tests: tuple[str, ...]  # files, or node ids
    below: str | None = None

    def apply(self, source: str) -> str:
        """The file's text with the mutant in it. Raises ValueError where it no longer applies."""
        lines = source.splitlines(keepends=True)
        texts = [line.strip() for line in lines]
        start = 0 if self.below is None else _find_only(texts, self.below)
        if self.below is None:
            at = _find_only(texts, self.line)
        elif self.line in texts[start:]:
            at = texts.index(self.line, start)
        else:
            raise ValueError(f"is not there: {self.line}")
        before = lines[at]
        indent = before[: len(before) - len(before.lstrip())]
        lines[at] = "".join(f"{indent}{one}\n" for one in self.put.splitlines())
        return "".join(lines)


def _find_only(texts: Sequence[str], wanted: str) -> int:
    found = [number for number, text in enumerate(texts) if text == wanted]
    if len(found) != 1:
        raise ValueError(f"is there {len(found)} times: {wanted}")
    return found[0]


def read_mutants() -> list[Mutant]:
    entries = tomllib.loads(LIST.read_text())["mutant"]
    return [Mutant(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]


@contextmanager
def copied_tree() -> Iterator[Path]:
    """The checkout as it is, what isn't committed included."""
    with tempfile.TemporaryDirectory(prefix="airside-mutants-") as folder:
        names = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listed = subprocess.run(names, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, Path(folder) / name)
        yield Path(folder)


def run_mutated(tree: Path, file: str, mutated: str, tests: Sequence[str]) -> tuple[str, str]:
    """The verdict on a file that reads like this, and what pytest printed. The tree is then as it was."""
    path = tree / file
    original = path.read_text()
    try:
        write_source(path, mutated)
        code, output = run_tests(tree, tests)
    finally:
        write_source(path, original)
    return VERDICTS.get(code, "broken"), output


def write_source(path: Path, text: str) -> None:
    """Python recognizes a compiled file by size and second, which two mutants may share."""
    path.write_text(text)
    Path(cache_from_source(str(path))).unlink(missing_ok=True)


def run_tests(tree: Path, tests: Sequence[str]) -> tuple[int, str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-n",
        "0",
        "-k",
        "not postgres",
        "-p",
        "no:cacheprovider",
    ]
    command += ["-o", f"timeout={TEST_SECONDS}", "-o", "addopts=-q", "--tb=line", *tests]
    env = {**os.environ, "PYTHONPATH": str(tree)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # every run would compile all of Airside again
    env.pop("CI", None)  # where a test that is skipped fails
    with subprocess.Popen(
        command,
        cwd=tree,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as running:
        try:
            output, _ = running.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return LATE, f"took longer than {SECONDS} s"
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)  # with the servers that tests have started
    return running.returncode, output


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="only mutants whose name or file has one of these in it")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="only name them")
    asked = parser.parse_args()
    chosen = [
        one for one in read_mutants()
        if not asked.words or any(word in f"{one.name} {one.file}" for word in asked.words)
    ]  # fmt: skip
    if asked.list:
        print(*(f"{one.file}: {one.name}" for one in chosen), sep="\n")
        return
    sys.exit(run_all(chosen, asked.jobs))


def run_all(mutants: Sequence[Mutant], jobs: int) -> int:
    begun = time.monotonic()
    with copied_tree() as first:
        tests = sorted({test for one in mutants for test in one.tests})
        code, output = run_tests(first, tests)
        if code != PASSED:
            print(output, "Without any mutant the tests have to pass.", sep="\n")
            return 1
        verdicts = run_in_trees(first, jobs, judge, mutants)
    seconds = time.monotonic() - begun
    print(", ".join(f"{verdicts.count(one)} {one}" for one in sorted(set(verdicts))), f"in {seconds:.0f} s")
    return 0 if set(verdicts) <= {"killed"} else 1


def run_in_trees(
    first: Path, jobs: int, run: Callable[[Path, Item], Result], items: Iterable[Item]
) -> list[Result]:
    """What `run` returns of each item, `jobs` at once, each in a copy of the tree that is its own meanwhile."""
    trees: SimpleQueue[Path] = SimpleQueue()

    def run_in_tree(item: Item) -> Result:
        tree = trees.get()
        try:
            return run(tree, item)
        finally:
            trees.put(tree)

    with copied_trees(first, jobs - 1) as others, ThreadPoolExecutor(jobs) as pool:
        for tree in (first, *others):
            trees.put(tree)
        return list(pool.map(run_in_tree, items))


@contextmanager
def copied_trees(first: Path, number: int) -> Iterator[list[Path]]:
    """Further ones, so that mutants that are tried at once don't meet."""
    with tempfile.TemporaryDirectory(prefix="airside-mutants-") as folder:
        trees = [Path(folder) / str(one) for one in range(number)]
        for tree in trees:
            shutil.copytree(first, tree)
        yield trees


def judge(tree: Path, mutant: Mutant) -> str:
    begun, output = time.monotonic(), ""
    try:
        mutated = mutant.apply((tree / mutant.file).read_text())
        verdict, output = run_mutated(tree, mutant.file, mutated, mutant.tests)
    except (OSError, ValueError) as error:
        verdict, output = "no longer applies", str(error)
    seconds = time.monotonic() - begun
    print(f"{verdict:9} {seconds:4.0f} s  {mutant.file}: {mutant.name}", flush=True)
    if verdict != "killed":
        print("\n".join(f"    {line}" for line in output.splitlines()[-8:]), flush=True)
    return verdict


if __name__ == "__main__":
    main()
