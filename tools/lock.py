"""Writes the locks: every package, its version and its hashes. requirements.lock is for running Airside from a
checkout, requirements-dev.lock for developing, requirements-container.lock for the image, which has every extra.

    make lock              keep what is locked, add what pyproject.toml now asks for
    make lock UPGRADE=1    take the newest of everything

All are for every Python from 3.11 on, on Linux and macOS. They are complete, so they are installed with
--no-deps; and they name no index, so pip uses whichever the machine is configured for.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = "hatchling\neditables\n"  # what an editable install of Airside itself needs
HEADER = "# Written by `make lock` from pyproject.toml. Install with: pip install --no-deps -r {name}\n"


def main() -> None:
    write_lock("requirements.lock", [])
    write_lock("requirements-dev.lock", ["--group", "dev", "--constraints", "requirements.lock"])
    extras = ["--extra", "nats", "--extra", "s3"]
    write_lock("requirements-container.lock", [*extras, "--constraints", "requirements-dev.lock"])


def write_lock(name: str, options: list[str]) -> None:
    command = [
        sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "-", "--output-file", name,
        "--universal", "--python-version", "3.11", "--generate-hashes",
        "--no-header", "--no-annotate", "--no-emit-index-url", "--quiet", *options,
    ]  # fmt: skip
    if os.environ.get("UPGRADE"):
        command.append("--upgrade")
    subprocess.run(command, cwd=ROOT, input=BUILD, text=True, check=True, stdout=subprocess.DEVNULL)
    path = ROOT / name
    path.write_text(HEADER.format(name=name) + path.read_text())


if __name__ == "__main__":
    main()
