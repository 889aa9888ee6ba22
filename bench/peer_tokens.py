"""Peers that only issue tokens, each an authorization server as its documentation sets it up, in memory."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from environments import BENCH, CACHE, fingerprint, token_peer_environment
from processes import Server
from sides import free_port, installed_versions
from wire import HOST, token_request

TOKEN = replace(
    token_request("bench", "a-secret-for-measuring", "grant_type=client_credentials&scope=read"),
    target="/token",
)
PEERS = ("oidc_provider", "authlib", "aioauth")


def peer_server(name: str, folder: Path) -> tuple[Server, dict[str, str]]:
    """A server that isn't started yet, and what it is."""
    return _oidc_provider(folder) if name == "oidc_provider" else _python_peer(name, folder)


def _python_peer(name: str, folder: Path) -> tuple[Server, dict[str, str]]:
    """One Granian process: WSGI with one thread for Flask, ASGI for Starlette."""
    executables = token_peer_environment(f"{name}_server")
    interface, framework = {"authlib": ("wsgi", "flask"), "aioauth": ("asgi", "starlette")}[name]
    port = free_port()
    command = [str(executables / "granian"), "--interface", interface, "--no-log", "--workers", "1"]
    command += ["--blocking-threads", "1"] if interface == "wsgi" else ["--loop", "uvloop"]
    command += ["--host", HOST, "--port", str(port), f"{name}_server:app"]
    environment = {"PYTHONPATH": str(BENCH / "peers"), "AUTHLIB_INSECURE_TRANSPORT": "1"}
    versions = installed_versions(executables / "python", [name, framework, "granian"])
    return Server(command, environment, port, folder / f"{name}.log"), versions


def _oidc_provider(folder: Path) -> tuple[Server, dict[str, str]]:
    node, home = shutil.which("node"), _npm_environment(BENCH / "peers" / "oidc_provider")
    if node is None:
        raise SystemExit("oidc-provider needs Node.js; leave it out with --peers")
    port = free_port()
    environment = {"PORT": str(port), "NODE_ENV": "production"}
    server = Server([node, str(home / "server.mjs")], environment, port, folder / "oidc_provider.log")
    package = json.loads((home / "node_modules" / "oidc-provider" / "package.json").read_text())
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return server, {"oidc-provider": package["version"], "node": version}


def _npm_environment(source: Path) -> Path:
    """The peer's folder with its packages beside it, made again when what it is made from changes."""
    home, files = CACHE / "npm-oidc_provider", sorted(source.iterdir())
    stamp, wanted = home / "made-from", fingerprint(files)
    if not stamp.exists() or stamp.read_text() != wanted:
        print("Making the environment of oidc-provider …", file=sys.stderr, flush=True)
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(source, home)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(command, cwd=home, check=True, stdout=sys.stderr)
        stamp.write_text(wanted)
    return home
