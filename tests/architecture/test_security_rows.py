"""Every security requirement that can be tested from outside has a test with its name."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]

# Of each family of requirements, how many there are; the tests named after each say what it requires.
FAMILIES = {
    "AZ": 9,  # authorization requests
    "CO": 5,  # consent
    "RU": 4,  # redirect URIs
    "PK": 3,  # PKCE
    "CD": 4,  # codes
    "TK": 9,  # the token endpoint
    "RF": 6,  # refresh
    "RV": 3,  # revocation, introspection
    "BR": 7,  # bearer tokens
    "MD": 4,  # metadata, clients that register themselves, devices
    "WH": 11,  # webhooks
    "TN": 6,  # tenants, roles and agents
    "PT": 4,  # pages
    "OP": 3,  # operation
    "FS": 4,  # files
    "RT": 2,  # rates
    "ID": 3,  # whose account it is, who writes memberships, credentials that outlive a session
    "AV": 4,  # availability
}
OF_FAMILIES = [f"{family}{number}" for family, count in FAMILIES.items() for number in range(1, count + 1)]
CLIENTS = ["CL1", "CL2"]  # in browsers, and on a person's machine
UPSTREAM = ["GW1", "GW2", "GW3", "GW4", "GW8", "GW10", "GW12"]  # in front of a Community Edition
ROWS = [*OF_FAMILIES, *CLIENTS, *UPSTREAM]


def names() -> list[str]:
    return [
        node.name
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]


def test_every_security_requirement_has_a_test_named_after_it() -> None:
    """A requirement that no test names is forgotten with the next change; `pytest -k rf3` shows what holds it."""
    tested = {row for name in names() for row in re.findall(r"(?<=_)[a-z]{2}\d+(?=_)", name)}
    assert [row for row in ROWS if row.lower() not in tested] == []


def test_no_test_claims_a_requirement_that_there_is_not() -> None:
    """A slip of the pen would leave the real one without its test."""
    claimed = {found[1] for name in names() if (found := re.match(r"test_([a-z]{2}\d+)_", name))}
    assert sorted(row for row in claimed if row.upper() not in ROWS) == []
