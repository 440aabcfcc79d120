"""Make docs/pictures/replay-page.png: the replay page of an episode on the leaderboard, as Chromium shows it.

    openworld replay docs/results/leaderboard/openworld-v0-2026-scripted.json --episode 53 --html page.html
    python docs/pictures/replay_page.py page.html

Needs Chromium and Playwright (`make test-browser` installs it).
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

STEP, SIZE = 292, {"width": 1440, "height": 1010}
OUT = Path(__file__).with_name("replay-page.png")


def main(page: Path) -> None:
    """Open the page at a step, and keep what is shown."""
    with sync_playwright() as driver:
        flags = ["--headless", "--no-sandbox", "--disable-gpu"]
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        sheet = browser.new_page(viewport=SIZE, color_scheme="light")
        sheet.goto(f"{page.resolve().as_uri()}#{STEP}")
        sheet.wait_for_selector("body[data-ready]")
        sheet.wait_for_timeout(500)
        sheet.screenshot(path=OUT)
        browser.close()
    print(f"written to {OUT}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
