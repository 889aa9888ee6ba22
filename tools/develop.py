"""Runs Airside from a checkout. Needs Python 3.11 or later and nothing else: the rest goes into .venv.

python3 tools/develop.py serve [--port 8000]     start Airside; webhooks may reach this machine
python3 tools/develop.py demo [--port 8000]      start it with the example agent of examples/weather_agent
python3 tools/develop.py test [pytest arguments] run the whole test suite
python3 tools/develop.py <any airside command>   such as: user create ana@example.com
python3 tools/develop.py install                 only bring .venv up to date, for developing
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "airside-installed"  # what was installed last: a line for each lock file it satisfies
LOCK, DEV_LOCK = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"
OLDEST = (3, 11)


def main() -> None:
    if sys.version_info < OLDEST:
        sys.exit(
            f"Airside needs Python {'.'.join(map(str, OLDEST))} or later; this is {sys.version.split()[0]}"
        )
    command, *rest = sys.argv[1:] or ["--help"]
    if command in ("-h", "--help"):
        print(__doc__)
    elif command == "install":
        install(DEV_LOCK)
    elif command == "test":
        install(DEV_LOCK)
        run([str(PYTHON), "-m", "pytest", "-n", "auto", *rest])
    elif command == "demo":
        install(DEV_LOCK)  # the agent is built with plane-sdk, which Airside itself doesn't need
        run([str(PYTHON), str(ROOT / "tools" / "demo.py"), *rest])
    else:
        install(LOCK)
        if command == "serve":
            allow_loopback()
        run([str(VENV / "bin" / "airside"), command, *rest])


def allow_loopback() -> None:
    """Keep beside the data that webhooks may reach this machine, for the server and for every command.

    An app's author runs the app here; wherever else Airside is started, only its operator allows that."""
    path = Path(os.environ.get("AIRSIDE_DATA") or ".airside") / "settings.env"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("AIRSIDE_WEBHOOK_ALLOWED_HOSTS=127.0.0.1,localhost,::1\n")


def run(command: "list[str]") -> None:
    """Become the command, so that Ctrl-C and its status are its own."""
    sys.stdout.flush()
    os.execv(command[0], command)


def install(lock: Path) -> None:
    """Make .venv hold what the lock file says; does nothing when it does already."""
    if fingerprint(lock) in installed():
        return
    # The development lock holds all of the other one, so that switching between them installs nothing.
    satisfied = [LOCK, DEV_LOCK] if lock == DEV_LOCK else [LOCK]
    print(f"Installing what {lock.name} lists into {VENV} …", file=sys.stderr, flush=True)
    pip = make_venv()
    if lock != DEV_LOCK or not install_with_uv(pip):
        check([*pip, *LOCKED, str(lock)])
    check([*pip, "install", "-qq", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    STAMP.write_text("\n".join(fingerprint(one) for one in satisfied))


LOCKED = ("install", "-qq", "--require-hashes", "--no-deps", "--requirement")


def install_with_uv(pip: "list[str]") -> bool:
    """Install DEV_LOCK with the uv that it locks, in a tenth of the time that pip takes. False where uv can't, such
    as behind a package index that only pip is configured for: then pip can still."""
    entry = re.search(r"^uv==(?:.*\\\n)*.*\n", DEV_LOCK.read_text(), re.MULTILINE)
    assert entry, "tools/lock.py needs uv too"
    with tempfile.TemporaryDirectory() as folder:
        alone = Path(folder) / "uv.lock"
        alone.write_text(entry[0])
        check([*pip, *LOCKED, str(alone)])
    uv = [str(PYTHON), "-m", "uv", "pip", "install", "--quiet", "--python", str(PYTHON)]
    index = os.environ.get("PIP_INDEX_URL")
    environment = os.environ | ({"UV_DEFAULT_INDEX": index} if index else {})
    return not subprocess.run([*uv, *LOCKED[2:], str(DEV_LOCK)], env=environment, check=False).returncode


def installed() -> "list[str]":
    """Fingerprints of what .venv holds; none when it isn't there or its Python is gone."""
    return STAMP.read_text().split("\n") if STAMP.exists() and PYTHON.exists() else []


def fingerprint(lock: Path) -> str:
    """Changes with the lock, with Airside's own description, and with the Python that runs this."""
    parts = (sys.version.encode(), lock.read_bytes(), (ROOT / "pyproject.toml").read_bytes())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def make_venv() -> "list[str]":
    """The environment with this Python; how to call pip for it."""
    is_stale = not PYTHON.exists() or not is_this_python()
    try:
        if is_stale:
            venv.create(VENV, clear=True, with_pip=True)
        return [str(PYTHON), "-m", "pip"]
    except subprocess.CalledProcessError:
        # Debian's Python comes without ensurepip; then the system's pip installs into the environment.
        venv.create(VENV, clear=True, with_pip=False)
        return [sys.executable, "-m", "pip", "--python", str(PYTHON)]


def is_this_python() -> bool:
    ask = [str(PYTHON), "-c", "import sys; print(sys.version)"]
    found = subprocess.run(ask, capture_output=True, text=True, check=False)
    return found.stdout.strip() == sys.version


def check(command: "list[str]") -> None:
    status = subprocess.run(command, check=False).returncode
    if status:
        sys.exit(status)


if __name__ == "__main__":
    main()
