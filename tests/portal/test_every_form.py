"""Every field of every form that pages show, with what nobody would type: a sentence comes back, never a crash, and
nobody is led away from here."""

import re

from airside.runtime.site import Site
from tests.cast import Cast
from tests.portal.test_every_page import filled, pages
from tests.portal.visitor import Visitor, signed_in
from tests.work.scene import make_project

ODD = ["\0", "\u202e" + "x" * 3000]
# What takes away what other forms are about comes last.
LAST = re.compile(r"delete|uninstall|suspend|end/|revoke|disconnect|withdraw|remove|archive")
FORMLESS = re.compile(r"{delivery|/records/")
MOST = 90  # pages


async def list_forms(visitor: Visitor, paths: list[str]) -> dict[str, dict[str, str]]:
    """Where each form posts → its fields, of these pages and those that they link to within the site."""
    forms: dict[str, dict[str, str]] = {}
    seen: set[str] = set()
    waiting = list(paths)
    while waiting and len(seen) < MOST:
        path = waiting.pop(0)
        if path in seen or path.startswith(("/static", "//")):
            continue
        seen.add(path)
        page = await visitor.get(path)
        if page.status != 200:
            continue
        for action, fields in page.forms:
            if action and "csrf_token" in fields:
                forms.setdefault(action, fields)
        waiting += [link.replace("&amp;", "&") for link in re.findall(r'href="(/[^"#]*)"', page.text)]
    return forms


async def test_no_field_of_any_form_breaks_anything(site: Site, cast: Cast) -> None:
    project = await make_project(site, cast)
    async with signed_in(site, "ana") as ana:
        start = [filled(path, cast) for path in pages(site, "GET") if not FORMLESS.search(path)]
        forms = await list_forms(ana, [f"/acme/projects/{project}/work-items/", *start])
        assert len(forms) > 20, forms.keys()
        for action in sorted(forms, key=lambda one: bool(LAST.search(one))):
            if "sign-out" in action:
                continue
            for name in [one for one in forms[action] if one != "csrf_token"]:
                for odd in ODD:
                    answer = await ana.post(action, forms[action] | {name: odd})
                    assert answer.status < 500, (action, name, odd)
                    assert re.match(r"$|/(?!/)", answer.location), (action, name, odd)
