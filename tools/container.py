"""Tries the image and the compose file, with a container engine where one answers, and without one everywhere.

make container                          build, start and ask the image; says what was not run, and why
python -m tools.container steps FOLDER  run the Containerfile's steps as plain commands below a folder
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "Containerfile"
IMAGE = "airside-check"
START_SECONDS = 90
OF_THE_IMAGE = (
    "--enable-optimizations"  # a step about the base image's own Python, which isn't this machine's
)


@dataclass(frozen=True)
class Step:
    """One instruction, with its continued lines joined."""

    word: str
    text: str


@dataclass
class Plain:
    """A folder in the place of the image's root, and what the instructions so far have set."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    not_run: list[str] = field(default_factory=list)

    def place(self, text: str) -> str:
        """The text with the image's own paths below the root."""
        return re.sub(r"(?<![\w.])/(opt/airside|data|build)\b", rf"{self.root}/\1", text)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRSIDE_")}
        path = f"{self.root}/opt/airside/bin:{Path(sys.executable).parent}:{kept['PATH']}"
        # Its own builds nothing twice; a machine may keep what it has downloaded.
        own = {name: self.place(value) for name, value in self.env.items() if name != "PIP_NO_CACHE_DIR"}
        return kept | own | {"PATH": path}

    def run(self, step: Step) -> None:
        """Raises CalledProcessError."""
        if step.word == "RUN":
            self._run(step.text)
        elif step.word == "COPY":
            self._copy(shlex.split(step.text))
        elif step.word == "ENV":
            self.env |= dict(part.split("=", 1) for part in shlex.split(step.text))
        elif step.word == "WORKDIR":
            self.folder = step.text
            self._here.mkdir(parents=True, exist_ok=True)

    @property
    def _here(self) -> Path:
        return self.root / self.folder.lstrip("/")

    def _run(self, text: str) -> None:
        if OF_THE_IMAGE in text:
            self.not_run.append(f"RUN {text}: this machine's Python isn't the image's")
            return
        subprocess.run(
            ["sh", "-ec", self.place(text)], cwd=self._here, env=self.environment, check=True, timeout=900
        )

    def _copy(self, words: list[str]) -> None:
        flags = [word for word in words if word.startswith("--")]
        *sources, target = [word for word in words if not word.startswith("--")]
        if any(flag.startswith("--from=") for flag in flags):  # both stages are one folder here
            missing = [source for source in sources if not Path(self.place(source)).exists()]
            if missing:
                raise FileNotFoundError(f"the first stage made no {missing[0]}")
            return
        for source in sources:
            found, to = ROOT / source, self._here / target
            if found.is_dir():
                shutil.copytree(found, to, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(found, to)


def read_steps(text: str | None = None) -> list[Step]:
    """The Containerfile's instructions, both stages."""
    joined = re.sub(r"\\\n\s*", "", FILE.read_text() if text is None else text)
    lines = [line.strip() for line in joined.splitlines()]
    words = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    return [Step(word, rest.strip()) for word, _, rest in words]


def run_steps(root: Path, steps: list[Step]) -> Plain:
    """Run them below the root. Raises CalledProcessError."""
    plain = Plain(root)
    for step in steps:
        plain.run(step)
    return plain


def find_engine() -> tuple[str, str]:
    """A container engine that answers, or why there is none."""
    tried: list[str] = []
    for name in ("docker", "podman"):
        if shutil.which(name) is None:
            tried.append(f"{name} isn't installed")
            continue
        asked = subprocess.run([name, "info"], capture_output=True, text=True, check=False, timeout=60)
        if asked.returncode == 0:
            return name, ""
        tried.append(f"{name} doesn't answer")
    return "", "; ".join(tried)


def engine_commands(engine: str) -> Iterator[list[str]]:
    """From the build to a healthy container whose file system is read-only."""
    yield [engine, "build", "-q", "-f", str(FILE), "-t", IMAGE, str(ROOT)]
    yield [engine, "run", "--rm", IMAGE, "--version"]
    yield [
        engine, "run", "-d", "--name", IMAGE, "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL",
        "--security-opt", "no-new-privileges", IMAGE,
    ]  # fmt: skip


def compose_commands(engine: str) -> Iterator[list[str]]:
    for words in ([], ["--profile", "mcp"]):
        yield [engine, "compose", "-f", str(ROOT / "compose.yaml"), *words, "config", "--quiet"]


def check_image(engine: str) -> None:
    """Build, start and ask it. Raises CalledProcessError and TimeoutError."""
    ask = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"
    env: Mapping[str, str] = {**os.environ, "AIRSIDE_BASE_URL": "https://plane.example.com"}
    try:
        for command in (*engine_commands(engine), *compose_commands(engine)):
            report(command)
            subprocess.run(command, check=True, env=env)
        deadline = time.monotonic() + START_SECONDS
        while subprocess.run([engine, "exec", IMAGE, "python", "-c", ask], check=False).returncode:
            if time.monotonic() > deadline:
                raise TimeoutError("the container isn't ready")
            time.sleep(1)
    finally:
        subprocess.run([engine, "rm", "-f", IMAGE], check=False, capture_output=True)


def report(command: list[str], why: str = "") -> None:
    print(f"{'not run' if why else 'run'}: {shlex.join(command)}{f' ({why})' if why else ''}")


def main() -> None:
    if sys.argv[1:2] == ["steps"]:
        plain = run_steps(Path(sys.argv[2]).absolute(), read_steps())
        print("\n".join(f"not run: {one}" for one in plain.not_run))
        return
    engine, why = find_engine()
    if engine:
        check_image(engine)
        return
    for command in (*engine_commands("docker"), *compose_commands("docker")):
        report(command, why)


if __name__ == "__main__":
    main()
