"""Virtual environments of both sides, made once under bench/.bench and again when what they hold changes."""

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
CACHE = BENCH / ".bench"
LOCK = ROOT / "requirements.lock"


def peer_environment() -> Path:
    """The folder of executables of the peer's environment."""
    pins = BENCH / "peers" / "dot" / "requirements.txt"
    return _environment("dot", [["--no-deps", "-r", str(pins)]], [pins])


def token_peer_environment(peer: str) -> Path:
    """The same for one of the peers that only issue tokens: a folder in peers/ with its pins."""
    pins = BENCH / "peers" / peer / "requirements.txt"
    return _environment(peer, [["--no-deps", "-r", str(pins)]], [pins])


def airside_environment() -> Path:
    """The folder of executables of an environment that holds Airside as it stands in this repository."""
    locked = ["--require-hashes", "--no-deps", "-r", str(LOCK)]
    itself = ["--no-deps", "--no-build-isolation", "-e", str(ROOT)]
    return _environment("airside", [locked, itself], [ROOT / "pyproject.toml", LOCK])


def _environment(name: str, installs: list[list[str]], sources: list[Path]) -> Path:
    folder = CACHE / f"venv-{name}"
    executables, stamp = folder / "bin", folder / "made-from"
    wanted = fingerprint(sources)
    if stamp.exists() and stamp.read_text() == wanted:
        return executables
    print(f"Making the environment of {name} …", file=sys.stderr, flush=True)
    pip = _make_venv(folder)
    for arguments in installs:
        subprocess.run([*pip, "install", "--quiet", *arguments], check=True, stdout=sys.stderr)
    stamp.write_text(wanted)
    return executables


def _make_venv(folder: Path) -> list[str]:
    """An empty environment; how to call pip for it. Debian's Python may come without ensurepip."""
    python = str(folder / "bin" / "python")
    try:
        venv.create(folder, clear=True, with_pip=True)
        return [python, "-m", "pip", "--disable-pip-version-check"]
    except subprocess.CalledProcessError:
        venv.create(folder, clear=True, with_pip=False)
        return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]


def fingerprint(sources: list[Path]) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()
