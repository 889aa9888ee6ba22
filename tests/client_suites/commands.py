"""A client's commands as processes: what each printed, and what it asked."""

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.client_suites.place import Place
from tests.client_suites.verdicts import Verdict, judge

SECONDS = 120


@dataclass
class Commands:
    """Runs one executable in its folder. `environment` is added to what isn't the client's own."""

    place: Place
    executable: Path
    folder: Path
    log: Path
    environment: Mapping[str, str]
    own: tuple[str, ...]  # prefixes of the variables that the client reads
    verdicts: list[Verdict] = field(default_factory=list[Verdict])

    def run(self, *words: str, stdin: str = "", at: str = ".") -> "subprocess.CompletedProcess[str]":
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(self.own)}
        done = subprocess.run(
            [self.executable, *words],
            cwd=self.folder / at,
            env=inherited | dict(self.environment),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        with self.log.open("a") as log:
            log.write(f"$ {' '.join(words)}\n{done.stdout}{done.stderr}\n[{done.returncode}]\n\n")
        return done

    def attempt(
        self,
        action: str,
        *words: str,
        complain: Callable[[str], str] = lambda _: "",
        stdin: str = "",
        at: str = ".",
    ) -> str:
        """Run a command as this action; returns what it printed. `complain` says from that what is wrong."""
        with self.place.recorded(action) as exchanges:
            done = self.run(*words, stdin=stdin, at=at)
        failed = f"Status {done.returncode}: {(done.stdout + done.stderr)[-600:]}" if done.returncode else ""
        complaint = failed or complain(done.stdout)
        if not complaint and not exchanges:
            complaint = "It asked for nothing"
        self.verdicts.append(judge(action, complaint, exchanges, self.place.served))
        return done.stdout
