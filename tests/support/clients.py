"""Published clients in environments of their own, since their pins don't agree with Airside's.

    bin = client_environment("plane-mcp-server")  # tests/journeys/locks/plane-mcp-server.txt
    subprocess.Popen([bin / "plane-mcp-server", "http"])

Each is made once under .clients/ in the repository, and again when its lock changes.
"""

import fcntl
import hashlib
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / ".clients"
LOCKS = ROOT / "tests" / "journeys" / "locks"


def client_environment(name: str) -> Path:
    """The folder of executables of a client's environment; skips the test where it can't be installed."""
    lock, folder = LOCKS / f"{name}.txt", CACHE / name
    CACHE.mkdir(exist_ok=True)
    with held(CACHE / f"{name}.lock"):  # test processes take turns
        wanted = hashlib.sha256(sys.version.encode() + lock.read_bytes()).hexdigest()
        stamp = folder / "made-from"
        if not stamp.exists() or stamp.read_text() != wanted:
            install(lock, folder)
            stamp.write_text(wanted)
    return folder / "bin"


def install(lock: Path, folder: Path) -> None:
    pip = [*make_venv(folder), "install", "--quiet", "--no-deps", "-r", str(lock)]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        told = done.stderr.strip().splitlines() or ["pip said nothing"]
        pytest.skip(f"{lock.stem} can't be installed from the package index: {told[-1]}")


def make_venv(folder: Path) -> list[str]:
    """An empty environment; how to call pip for it. Debian's Python may come without ensurepip."""
    python = str(folder / "bin" / "python")
    try:
        venv.create(folder, clear=True, with_pip=True)
        return [python, "-m", "pip", "--disable-pip-version-check"]
    except subprocess.CalledProcessError:
        venv.create(folder, clear=True, with_pip=False)
        return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Only one process at a time is inside."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
