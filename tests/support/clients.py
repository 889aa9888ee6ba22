"""Published clients in environments of their own, since their pinned dependencies conflict with Airside's.

    bin = client_environment("plane-mcp-server")  # tests/journeys/locks/plane-mcp-server.txt
    subprocess.Popen([bin / "plane-mcp-server", "http"])
    subprocess.run(["node", script], env=node_packages(folder))  # folder has package.json and its lock

Each is created once under .clients/ in the repository, and again when its lock changes.
`python -m tests.support.clients` creates all of them in advance.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / ".clients"
LOCKS = ROOT / "tests" / "journeys" / "locks"


def client_environment(name: str) -> Path:
    """The folder of executables of a client's environment; skips the test if it can't be installed."""
    lock = LOCKS / f"{name}.txt"
    return (
        made_once(name, sys.version.encode() + lock.read_bytes(), lambda folder: install(lock, folder))
        / "bin"
    )


def node_packages(described_in: Path) -> dict[str, str]:
    """The environment in which Node.js finds the packages of a folder's package-lock.json; skips the test
    without Node.js, or if they can't be installed."""
    if shutil.which("npm") is None:
        pytest.skip("Node.js with npm not found")
    lock = described_in / "package-lock.json"
    folder = made_once(described_in.name, lock.read_bytes(), lambda folder: install_node(lock, folder))
    return {"NODE_PATH": str(folder / "node_modules")}


def made_once(name: str, made_from: bytes, make: Callable[[Path], None]) -> Path:
    """The folder of that name in the cache, rebuilt when its input has changed."""
    folder = CACHE / name
    CACHE.mkdir(exist_ok=True)
    with held(CACHE / f"{name}.lock"):  # test processes take turns
        wanted = hashlib.sha256(made_from).hexdigest()
        stamp = folder / "made-from"
        if not stamp.exists() or stamp.read_text() != wanted:
            make(folder)
            stamp.write_text(wanted)
    return folder


def install(lock: Path, folder: Path) -> None:
    run_installer([*make_venv(folder), "install", "--quiet", "--no-deps", "-r", str(lock)], lock.stem)


def install_node(lock: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name in ("package.json", lock.name):
        shutil.copyfile(lock.parent / name, folder / name)
    npm = [
        "npm",
        "ci",
        "--prefix",
        str(folder),
        "--ignore-scripts",
        "--legacy-peer-deps",
        "--no-audit",
        "--no-fund",
    ]
    run_installer(npm, lock.parent.name)


def run_installer(command: list[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        errors = done.stderr.strip().splitlines() or ["the installer said nothing"]
        pytest.skip(f"{what} can't be installed from the package index: {errors[-1]}")


def make_venv(folder: Path) -> list[str]:
    """Create an empty environment; returns the pip command for it. Debian's Python may lack ensurepip."""
    python = str(folder / "bin" / "python")
    try:
        venv.create(folder, clear=True, with_pip=True)
        return [python, "-m", "pip", "--disable-pip-version-check"]
    except subprocess.CalledProcessError:
        venv.create(folder, clear=True, with_pip=False)
        return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]


def make_all() -> None:
    """Build all environments; the tests report those that can't be built."""
    makers: list[Callable[[], object]] = [
        partial(client_environment, lock.stem) for lock in LOCKS.glob("*.txt")
    ]
    makers += [partial(node_packages, lock.parent) for lock in ROOT.glob("tests/*/*/package-lock.json")]
    for make in makers:
        with suppress(pytest.skip.Exception):
            make()


@contextmanager
def held(path: Path) -> Iterator[None]:
    """A lock between processes."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    make_all()
