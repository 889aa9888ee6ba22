"""Runs the test suite; what failed runs once more, alone, and what passes then is named FLAKY. CI uses it.

python3 tools/suite.py [pytest arguments]

A flaky test has found a race, or waits for less than a loaded machine needs: it is mended like any other defect,
but it doesn't hide whether everything else is well."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

TEST = [sys.executable, str(Path(__file__).parent / "develop.py"), "test"]
WORKERS = (os.cpu_count() or 1) + 1  # some tests wait for what time brings, or for processes of their own
# Each process takes a row of neighbouring tests, which share what the fixtures of a file make; an idle one takes
# half of the rest of another.
SPREAD = ["-n", str(WORKERS), "--dist", "worksteal"]
TESTS_FAILED = 1  # pytest's exit codes above mean that it could not run the tests at all
MAX_RERUN = 40  # beyond that something is broken for all of them


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(
            run_suite(
                [*TEST, *SPREAD, "--durations=15", *sys.argv[1:]],
                Path(folder),
            )
        )


def run_suite(command: "list[str]", cache: Path) -> int:
    """The suite's exit code: 0 when every test passed, if only alone."""
    command = [*command, "-o", f"cache_dir={cache}"]
    status = call(command)
    failed = last_failed(cache)
    if status != TESTS_FAILED or not 0 < len(failed) <= MAX_RERUN:
        return status
    print(f"\nRunning {len(failed)} failed once more, alone:", *sorted(failed), sep="\n  ", flush=True)
    status = call([*command, "-n", "0", "--last-failed", "--last-failed-no-failures", "none"])
    for name in sorted(failed - last_failed(cache)):
        print(f"FLAKY {name}", flush=True)
    return status


def call(command: "list[str]") -> int:
    return subprocess.run(command, check=False).returncode


def last_failed(cache: Path) -> "set[str]":
    path = cache / "v" / "cache" / "lastfailed"
    failed = set(json.loads(path.read_text())) if path.exists() else set[str]()
    return {name for name in failed if "::" in name}  # a process that collected other tests isn't one


if __name__ == "__main__":
    main()
