"""What templates read is made somewhere: a rename that forgets a template shows only where its page is drawn."""

import ast
from functools import cache
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

PACKAGE = Path(__file__).parents[2] / "airside"
TEMPLATES = PACKAGE / "portal" / "templates"
LOOPS = {"loop", "first", "last", "index", "index0", "length"}  # Jinja's own
NAMES = [str(path.relative_to(TEMPLATES)) for path in sorted(TEMPLATES.rglob("*.html"))]


@cache
def parse(template: str) -> nodes.Template:
    return jinja2.Environment(autoescape=True).parse((TEMPLATES / template).read_text())


def python_names() -> set[str]:
    """Whatever is called something in the code, as an attribute, an argument, or the key of a dict."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        if "versions" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Name(id=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
                    found.add(name)
                case ast.Attribute(attr=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    found.add(name)
                case ast.Constant(value=str(name)) if name.isidentifier():
                    found.add(name)
    return found


def template_names() -> set[str]:
    """Macros, their parameters, and what is set, looped over or imported."""
    found: set[str] = set()
    for tree in map(parse, NAMES):
        found |= {macro.name for macro in tree.find_all(nodes.Macro)}
        found |= {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
        found |= {imported.target for imported in tree.find_all(nodes.Import)}
        for imported in tree.find_all(nodes.FromImport):
            found |= {each[-1] if isinstance(each, tuple) else each for each in imported.names}
    return found


@cache
def known_names() -> set[str]:
    return python_names() | template_names() | LOOPS


@pytest.mark.parametrize("template", NAMES)
def test_every_name_that_a_template_reads_is_made_somewhere(template: str) -> None:
    """The key of a run was renamed in Python alone, and every work item with a running agent was a 500."""
    tree = parse(template)
    read = {each.attr for each in tree.find_all(nodes.Getattr)}
    read |= {name.name for name in tree.find_all(nodes.Name) if name.ctx == "load"}
    assert read - known_names() == set()
