"""Rules of the code that matter, each with its story."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from airside.api.served import APIS
from airside.db.tables import load_tables
from airside.events.catalog import get_kind
from airside.oauth.grant_types import GRANT_TYPES
from airside.rest.routes import list_routes

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "airside"
ROUTES = [route for api in APIS for route in list_routes(api.table)]
BAGS = re.compile(r"service|util|helper|manager|common|misc|base_?class")


def sources(folder: Path = PACKAGE) -> Iterator[tuple[str, ast.Module]]:
    """Every Python file: its path from the checkout's top, and its tree."""
    for path in sorted(folder.rglob("*.py")):
        if "versions" not in path.parts and ".bench" not in path.parts:
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    """The calls of a function or method of one of these names, written with its dots."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in names:
            yield node


def test_rooms_depend_downwards() -> None:
    """A walled room can be moved behind another server, as `work` will be: one import upwards ends that, and so
    does a page or an agent that reads project management records past the host."""
    check = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, check.stdout


def test_the_contract_names_every_room_once_and_no_module_in_one() -> None:
    """A room that isn't listed may import anything; one whose modules lie in several layers has no place."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [layers] = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    named = [name.strip() for layer in layers for name in re.split("[|:]", layer)]
    rooms = {
        path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert sorted(named) == sorted(f"airside.{room}" for room in rooms - {"__init__"})


def test_the_outbox_has_one_writer() -> None:
    """Events sent by hand at each call site get forgotten; an insert elsewhere skips the sequence."""
    writers = {
        path
        for path, tree in sources()
        for call in (*calls(tree, "tx.insert"), *calls(tree, "call.writer.insert"))
        if call.args and ast.unparse(call.args[0]) in ("events", "entity_sequences")
    }
    assert writers == {"airside/events/outbox.py"}


def test_sessions_end_in_one_place() -> None:
    """What a form of a session made, and nobody looked at, ends with it: a session deleted elsewhere leaves it."""
    enders = {
        path
        for path, tree in sources()
        for call in calls(tree, "tx.delete", "sa.delete")
        if call.args and ast.unparse(call.args[0]) == "sessions"
    }
    assert enders == {"airside/identity/ending_sessions.py"}


def test_no_refusal_is_taken_for_another() -> None:
    """A rate limit or an outage that is answered as 404 makes a client give up for good: whoever catches a refusal
    names it."""
    careless = {
        f"{path}:{handler.lineno}"
        for path, tree in sources()
        for handler in ast.walk(tree)
        if isinstance(handler, ast.ExceptHandler)
        and handler.type is not None
        and "AirsideError" in ast.unparse(handler.type)
    }
    assert careless == set()


def test_every_writing_route_records_an_event_or_says_why_not() -> None:
    """An app that missed a change can't know that it did."""
    silent = [
        f"{route.method} {route.path}"
        for route in ROUTES
        if route.method != "GET" and not route.event and not route.eventless
    ]
    assert silent == []


def test_every_event_of_the_table_is_in_the_catalog() -> None:
    """The catalog gives each event its two names on the wire; a name it lacks would break at the first write."""
    for event in {one for route in ROUTES for one in (route.event, route.other_event) if one}:
        get_kind(event)


def test_time_comes_from_the_calls_clock() -> None:
    """Tests of expiry and retries move a clock; code that asks the system can't be tested and drifts apart."""
    askers = {
        path
        for path, tree in sources()
        for _ in calls(tree, "datetime.now", "datetime.utcnow", "datetime.today", "date.today")
    }
    assert askers == {"airside/system/clock.py"}


def test_no_file_is_a_bag() -> None:
    """A file called utils takes anything, and so it grows for ever; a narrow name refuses things."""
    bags = [path for path, _ in sources() if BAGS.search(Path(path).stem)]
    assert bags == []


@pytest.mark.parametrize("folder", ["airside", "tests", "tools"])
def test_every_module_says_what_lives_in_it(folder: str) -> None:
    """The first line tells a reader whether to read on; an empty __init__ of a tests folder has nothing to say."""
    silent = [path for path, tree in sources(ROOT / folder) if tree.body and not ast.get_docstring(tree)]
    assert silent == []


def test_no_function_is_longer_than_a_screen() -> None:
    """Functions stay small by habit; one of sixty lines does two things."""
    long = [
        f"{path}: {node.name}"
        for path, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno > 60
    ]
    assert long == []


def test_every_table_but_the_few_named_leads_with_its_workspace() -> None:
    """So that the tables can be spread by workspace, and no query finds another tenant's row by its id alone."""
    led = {"workspace_id"}
    global_tables = {
        "upstream_sessions",
        "users", "sessions", "api_keys", "guesses", "form_answers",  # people belong to many workspaces
        "rate_budgets",  # of a person in all workspaces, or of a client
        "workspaces",
        "audit_log",  # a sign-in belongs to no workspace
        "assets",  # pictures belong to people
        "metric_counts",  # of the whole instance
        "apps", "app_secrets",  # found by client id, before any workspace is known
        "installations",  # found by app_installation_id
        "device_requests",
        "live_topics",  # what somebody looks at, by the ids of what they look at
        "consent_requests", "authorization_codes", "token_families", "access_tokens", "refresh_tokens",
        "resource_servers",  # named by who runs the instance, for all workspaces
    }  # fmt: skip
    others = {
        name for name, table in load_tables().tables.items() if next(iter(table.primary_key)).name not in led
    }
    assert others <= global_tables, others - global_tables


def test_migrations_are_numbered_one_after_another() -> None:
    """Of two with one number Alembic takes one, and a fresh database lacks the tables of the other."""
    paths = sorted((PACKAGE / "db" / "migrations" / "versions").glob("[0-9]*.py"))
    for number, path in enumerate(paths, 1):
        before = f'"{number - 1:04}"' if number > 1 else "None"
        assert path.name.startswith(f"{number:04}_"), path.name
        assert f'revision = "{number:04}"\ndown_revision = {before}\n' in path.read_text(), path.name


def test_no_key_points_across_tables() -> None:
    """Foreign keys would tie tables to one node and order every delete; see docs/decisions."""
    tied = [name for name, table in load_tables().tables.items() if table.foreign_keys]
    assert tied == []


def test_the_lock_for_developing_holds_what_writes_locks() -> None:
    """`make lock` has to work on a machine that has had nothing but `make install`."""
    tool = re.search(r'"-m", "(\w+)"', (ROOT / "tools" / "lock.py").read_text())
    assert tool is not None
    assert f"\n{tool[1]}==" in (ROOT / "requirements-dev.lock").read_text()


def test_locks_name_no_index() -> None:
    """The lock is for every machine; where packages come from is each machine's own setting."""
    for name in ("requirements.lock", "requirements-dev.lock"):
        assert not re.search(r"https?://|--index|--find-links|file:", (ROOT / name).read_text())


def test_no_handler_of_the_api_says_who_acted() -> None:
    """A handler that wrote "a person did it" said so of a bot; the audit log asks the caller."""
    handlers = {
        path
        for path, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ("airside.rest.route", "airside.rest.face")
    }
    saying = {
        path
        for path, tree in sources()
        for call in calls(tree, "record_audit")
        if any(keyword.arg == "actor_kind" for keyword in call.keywords)
    }
    assert saying & handlers == set()


def test_grant_types_are_listed_once() -> None:
    """The token endpoint, discovery and registration each had a list of their own."""
    literals = (ast.Tuple, ast.List, ast.Set, ast.Dict)
    lists = {
        path
        for path, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, literals)
        and len(GRANT_TYPES.keys() & {one.value for one in ast.walk(node) if isinstance(one, ast.Constant)})
        > 1
    }
    assert lists == {"airside/oauth/grant_types.py"}


def test_workspace_membership_is_written_behind_one_gate() -> None:
    """`put_member` and `end_membership` ask nobody. Beside the gate's own functions only these write without an
    admin person: a workspace's first member, whoever accepts an invitation, and an app's bot, which comes and goes
    with its app."""
    writers = {path for path, tree in sources() for _ in calls(tree, "put_member", "end_membership")}
    assert writers == {
        "airside/workspaces/members.py",
        "airside/workspaces/create.py",
        "airside/workspaces/invitations.py",
        "airside/installations/install.py",
        "airside/installations/uninstall.py",
    }


def test_tenant_and_soft_deletion_are_written_once() -> None:
    """Each stood by hand in fifty and ninety statements; one that forgets the tenant shows another's records."""
    conditions = re.compile(
        r"[\w.]*\bworkspace_id == sa\.bindparam\(.*|[\w.]*\bdeleted_at\.is_\(None\)", re.DOTALL
    )
    by_hand = [
        f"{path}:{node.lineno}"
        for path, tree in sources()
        if path != "airside/db/conditions.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare | ast.Call) and conditions.fullmatch(ast.unparse(node))
    ]
    assert not by_hand, "airside.db.conditions has tenant() and live()"
