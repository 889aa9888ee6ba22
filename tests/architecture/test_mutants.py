"""The list of `make mutants` must not rot: each of its lines is still there, and its tests are of its own room."""

import ast
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from mutants import Mutant, read_mutants  # noqa: E402 - tools/ is no package

MUTANTS = read_mutants()


def test_every_mutant_still_applies_to_exactly_one_line() -> None:
    """One that no longer applies guards nothing. If its line changes, break the same rule otherwise."""
    problems: list[str] = []
    for mutant in MUTANTS:
        try:
            source = (ROOT / mutant.file).read_text()
            mutated = mutant.apply(source)
            ast.parse(mutated)
        except (OSError, ValueError, SyntaxError) as error:
            problems.append(f"{mutant.file}: {mutant.name}: {error}")
            continue
        if ast.dump(ast.parse(mutated)) == ast.dump(ast.parse(source)):
            problems.append(f"{mutant.file}: {mutant.name}: changes nothing")
    assert problems == []


def test_the_tests_of_a_mutant_are_of_its_own_room() -> None:
    """A redesign of a room runs the room's own folder of tests, so that folder has to test its rules."""
    problems = [
        f"{mutant.name}: {test}"
        for mutant in MUTANTS
        for test in mutant.tests
        if not test.startswith(f"tests/{room_of(mutant)}/") or not is_there(test)
    ]
    assert problems == []


def test_every_mutant_has_a_name_of_its_own() -> None:
    assert [name for name, number in Counter(one.name for one in MUTANTS).items() if number > 1] == []


def room_of(mutant: Mutant) -> str:
    """What every room uses is held by the tests of the requirements."""
    parts = mutant.file.split("/")
    return parts[1] if len(parts) > 2 and parts[1] not in ("runtime", "system") else "security"


def is_there(test: str) -> bool:
    path, _, name = test.partition("::")
    return (ROOT / path).is_file() and (not name or f"def {name}(" in (ROOT / path).read_text())
