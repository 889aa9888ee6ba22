"""The Containerfile's steps as plain commands in a folder, and the server that comes of them."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportPrivateUsage=false, reportDeprecated=false, reportCallIssue=false

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clients import made_once
from tests.support.servers import free_port
from tools.container import FILE, ROOT, Plain, Step, find_engine, read_steps, run_steps

STEPS = read_steps()
LOCK = "requirements-container.lock"


def layers() -> tuple[list[Step], list[Step]]:
    """What changes with the lock alone, and the rest."""
    at = next(place for place, step in enumerate(STEPS) if LOCK in step.text and step.word == "RUN") + 1
    return STEPS[:at], STEPS[at:]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plain]:
    """The folder that all steps lead to; the packages' layer is kept from run to run, as an engine keeps it."""
    first, rest = layers()
    made_from = "\n".join(step.text for step in first) + (ROOT / LOCK).read_text() + sys.version

    def make(folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            run_steps(folder, first)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"the image's packages can't be installed from the package index: {error}")

    layer = made_once("container-packages", made_from.encode(), make)
    root = tmp_path_factory.mktemp("image") / "root"
    shutil.copytree(layer, root, symlinks=True, copy_function=os.link)
    plain = Plain(root)
    for step in first:
        if step.word in ("ENV", "WORKDIR"):
            plain.run(step)
    for step in rest:
        plain.run(step)
    yield plain
    shutil.rmtree(root)


def test_every_step_runs_and_only_the_one_about_the_image_s_own_python_is_not(image: Plain) -> None:
    assert [re.sub(r" .*", "", one) for one in image.not_run] == ["RUN"]
    assert "--enable-optimizations" in image.not_run[0]
    installed = {path.name for path in (image.root / "opt/airside/lib").glob("python*/site-packages/*")}
    assert {"airside", "boto3", "nats"} <= installed
    assert not {"pip", "hatchling", "pytest"} & installed


def test_the_command_serves_with_a_read_only_tree_and_the_health_check_notices(
    image: Plain, tmp_path: Path
) -> None:
    port, by_word = str(free_port()), {step.word: step.text for step in STEPS}
    words = [*json.loads(by_word["ENTRYPOINT"]), *json.loads(by_word["CMD"])]
    health = json.loads(re.sub(r"^.*? CMD ", "", by_word["HEALTHCHECK"]))
    health = [word.replace("8000", port) for word in health]
    program = image.root / "opt/airside/bin" / words[0]
    env = image.environment | {"AIRSIDE_DATA": str(tmp_path / "data")}
    before = list_files(image.root / "opt")
    assert subprocess.run(health, env=env, check=False, capture_output=True).returncode != 0
    command = [str(program), *(port if word == "8000" else word for word in words[1:])]
    with subprocess.Popen(command, env=env, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            while "Password" not in process.stdout.readline():
                assert process.poll() is None
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
                assert answer.status == 200
            assert subprocess.run(health, env=env, check=False).returncode == 0
        finally:
            process.terminate()
    assert process.returncode == 0
    assert list_files(image.root / "opt") == before  # nothing is written outside of the data folder


def list_files(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*")}


def test_it_runs_as_nobody_in_particular_from_an_official_python_with_a_health_check() -> None:
    words = [step.word for step in STEPS]
    bases = {step.text.split(" AS ")[0] for step in STEPS if step.word == "FROM"}
    assert len(bases) == 1
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+-slim-\w+", bases.pop())
    last = words[words.index("FROM", 1) :]
    assert last.index("USER") < last.index("ENTRYPOINT")
    assert {"HEALTHCHECK", "VOLUME", "EXPOSE"} <= set(last)
    users = [step.text for step in STEPS if step.word == "USER"]
    assert users == ["10001:10001"]


def test_the_context_is_what_the_steps_copy() -> None:
    copied = {
        source
        for step in STEPS
        if step.word == "COPY" and "--from" not in step.text
        for source in step.text.split()[:-1]
    }
    for name in (".containerignore", ".dockerignore"):
        allowed = {line[1:] for line in (ROOT / name).read_text().splitlines() if line.startswith("!")}
        assert allowed == copied
    assert (ROOT / "LICENSE").exists()
    assert FILE.exists()


def test_what_was_not_run_is_reported_with_its_reason() -> None:
    engine, why = find_engine()
    assert engine or why
    if engine:
        return  # `make container` builds and starts it there
    ran = subprocess.run(
        [sys.executable, "-m", "tools.container"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = ran.stdout.splitlines()
    assert len(lines) == 5
    assert all(line.startswith("not run: docker ") and line.endswith(f"({why})") for line in lines)
