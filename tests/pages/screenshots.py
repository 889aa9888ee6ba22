"""`make screenshots`: a picture of every page into docs/screenshots/, of a demo that is the same each time.

make screenshots ARGS="members projects"    only those whose name has one of these words
"""

import argparse
import re
import tempfile
from base64 import b64decode, b64encode
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.pages.demo import Demo, running_demo
from tests.pages.places import PAGES, SIGNED_OUT
from tests.support.browser import running_browser

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 780}
SHRINK = """async (png) => {
  const picture = new Image();
  picture.src = `data:image/png;base64,${png}`;
  await picture.decode();
  const canvas = Object.assign(document.createElement("canvas"), {
    width: picture.width, height: picture.height });
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas.toDataURL("image/webp", 0.82).split(",")[1];
}"""
# Shown a second time, in the dark and on a phone.
ALSO_SMALL = (
    "home",
    "workspace-projects-project_id-work-items",
    "workspace-browse-identifier",
    "workspace-settings-applications-app_id",
    "workspace-settings-webhooks-webhook_id",
    "workspace-marketplace",
    "auth-o-authorize-app",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--into", type=Path, default=FOLDER)
    asked = parser.parse_args()
    asked.into.mkdir(parents=True, exist_ok=True)
    chosen = {name_of(page): page for page in PAGES}
    if asked.words:
        chosen = {name: page for name, page in chosen.items() if any(word in name for word in asked.words)}
    else:
        for old in asked.into.glob("*.webp"):
            old.unlink()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_browser() as browser,
        running_demo(Path(folder)) as demo,
    ):
        for scheme, size, names in (("light", WIDE, chosen), ("dark", PHONE, ALSO_SMALL)):
            take_all(browser, demo, scheme, size, {n: chosen[n] for n in names if n in chosen}, asked.into)
    taken = list(asked.into.glob("*.webp"))
    print(f"{len(taken)} pictures, {sum(one.stat().st_size for one in taken) / 1e6:.1f} MB, in {asked.into}")


def take_all(
    browser: Browser, demo: Demo, scheme: str, size: dict[str, int], chosen: dict[str, str], into: Path
) -> None:
    pages: dict[bool, Page] = {}
    for is_known in (True, False):
        context = browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
        )
        if is_known:
            context.add_cookies([{"name": "airside_session", "value": demo.session, "url": demo.server.url}])
        pages[is_known] = context.new_page()
    press = browser.new_page()
    for name, template in chosen.items():
        page = pages[not template.startswith(SIGNED_OUT)]
        page.goto(f"{demo.server.url}{demo.path_of(template)}", wait_until="load")
        picture = page.screenshot()
        (into / f"{name}{'' if scheme == 'light' else '-phone'}.webp").write_bytes(shrink(press, picture))


def shrink(press: Page, picture: bytes) -> bytes:
    """As WebP, a third of the size: the browser can do that, too."""
    return b64decode(press.evaluate(SHRINK, b64encode(picture).decode()))


def name_of(template: str) -> str:
    """/{slug}/settings/members → workspace-settings-members"""
    path = template.replace("{slug}", "workspace")
    return re.sub(r"[^a-z_]+", "-", path).strip("-") or "home"


if __name__ == "__main__":
    main()
