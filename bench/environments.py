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
    return _environment("dot", ["-r", str(pins)], [pins])


def airside_environment() -> Path:
    """The folder of executables of an environment that holds Airside as it stands in this repository."""
    locked = ["-c", str(LOCK)] if LOCK.exists() else []
    return _environment("airside", [*locked, "-e", str(ROOT)], [ROOT / "pyproject.toml", LOCK])


def _environment(name: str, arguments: list[str], sources: list[Path]) -> Path:
    folder = CACHE / f"venv-{name}"
    executables, stamp = folder / "bin", folder / "made-from"
    wanted = _fingerprint(sources)
    if stamp.exists() and stamp.read_text() == wanted:
        return executables
    print(f"Making the environment of {name} …", file=sys.stderr, flush=True)
    venv.create(folder, with_pip=True, clear=True)
    install = [str(executables / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, *arguments], check=True, stdout=sys.stderr)
    stamp.write_text(wanted)
    return executables


def _fingerprint(sources: list[Path]) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for source in sources:
        digest.update(source.read_bytes() if source.exists() else b"")
    return digest.hexdigest()
