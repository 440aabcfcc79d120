"""A browser for the tests: Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for all tests; without it they are skipped."""
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        pytest.skip("no Chromium here: make test-browser installs it")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="no Playwright here: make test-browser installs it"
    )
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=executable, args=FLAGS)
        yield chromium
        chromium.close()


class Visit:
    """A page that is open, and everything it said or asked for."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.said: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self.hear(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))

    def hear(self, text: str) -> None:
        """Keep what is said, but for what is said of the tests' own looking at pixels."""
        if "willReadFrequently" not in text:
            self.said.append(text)


@pytest.fixture
def visit(browser: Any) -> Iterator[Any]:
    """`visit(path, address="#3", scheme="dark", width=1280)`: a file, opened without a network."""
    contexts, visits = [], []

    def open_file(path: Any, address: str = "", scheme: str = "light", width: int = 1280) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        contexts.append(context)
        context.set_default_timeout(60_000)
        visits.append(Visit(context.new_page()))
        visits[-1].page.goto(path.as_uri() + address)
        return visits[-1]

    yield open_file
    for context in contexts:
        context.close()
    for one in visits:
        assert one.said == []
        assert [url for url in one.asked if not url.startswith(("file:", "data:"))] == []
        assert sum(url.startswith("file:") for url in one.asked) == 1
