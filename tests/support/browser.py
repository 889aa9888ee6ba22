"""Debian's Chromium, driven by Playwright. Tests are skipped when it isn't installed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A headless Chromium; AIRSIDE_TEST_CHROMIUM overrides the one on the path."""
    path = (
        os.environ.get("AIRSIDE_TEST_CHROMIUM")
        or shutil.which("chromium")
        or shutil.which("chromium-browser")
    )
    if path is None:
        pytest.skip("Chromium not found: install Debian's package chromium, or set AIRSIDE_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
