"""CI's second chance: what fails among others and passes alone is named, what fails twice fails CI."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
from suite import run_suite

FAILS_ONCE = """
from pathlib import Path

def test_of_a_race():
    marker = Path(__file__).with_name("ran")
    ran = marker.exists()
    marker.touch()
    assert ran

def test_beside_it():
    pass
"""


def run(folder: Path, tests: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    (folder / "test_suite_of_two.py").write_text(tests)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--rootdir", str(folder), str(folder)]
    status = run_suite(command, folder / "cache")
    return status, capfd.readouterr().out


def test_what_passes_alone_is_named_flaky(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, said = run(tmp_path, FAILS_ONCE, capfd)
    assert status == 0
    assert "FLAKY test_suite_of_two.py::test_of_a_race\n" in said
    assert said.count("FLAKY") == 1


def test_what_fails_twice_fails_ci(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, said = run(tmp_path, "def test_of_a_defect():\n    assert False\n", capfd)
    assert status == 1
    assert "FLAKY" not in said


def test_a_suite_that_passes_runs_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, said = run(tmp_path, "def test_of_nothing():\n    pass\n", capfd)
    assert status == 0
    assert "once more" not in said


def test_a_suite_that_cannot_be_collected_fails_ci(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, _ = run(tmp_path, "def test_of_a_typo(:\n", capfd)
    assert status != 0
