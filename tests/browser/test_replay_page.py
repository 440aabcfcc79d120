"""The replay page in a browser: it paints what Python paints; its buttons, keys and clicks lead where they say."""

import re

import numpy as np
import pytest

from openworld.render import page
from openworld.render.picture import picture
from tests.render import episodes

pytestmark = pytest.mark.slow  # a browser is started

VIEW = """(number) => {
  const canvas = document.querySelectorAll(".view canvas")[number];
  const { width, height } = canvas;
  return [height, width, Array.from(canvas.getContext("2d").getImageData(0, 0, width, height).data)];
}"""


@pytest.fixture(scope="module")
def shown():
    return episodes.shown()


@pytest.fixture(scope="module")
def files(shown, tmp_path_factory):
    """The page of one episode, and of several side by side."""
    folder = tmp_path_factory.mktemp("pages")
    return page.write(shown[:1], folder / "one.html"), page.write(shown, folder / "all.html")


def opened(visit, *arguments, **settings):
    sheet = visit(*arguments, **settings).page
    sheet.wait_for_selector("body[data-ready]")
    return sheet


def painted(sheet, number=0):
    """What a panel's view shows, uint8[height, width, 3]."""
    height, width, values = sheet.evaluate(VIEW, number)
    return np.array(values, np.uint8).reshape(height, width, 4)[..., :3]


def wanted(episode, step, player=0):
    rules = episode.rules
    whole = picture(episode.at(step)[player], 1, rules)
    return whole[: rules.view_rows * 16]


def step_of(sheet):
    assert sheet.input_value("#scrub") == sheet.inner_text("#clock").split(" / ")[0].replace(",", "")
    return int(sheet.input_value("#scrub"))


def until(sheet, question):
    """Wait for an answer; the page itself lets nobody evaluate text again and again."""
    for _ in range(400):
        if sheet.evaluate(question):
            return
        sheet.wait_for_timeout(50)
    raise AssertionError(question)


def near(left, right):
    return left.shape == right.shape and np.abs(left.astype(int) - right.astype(int)).max() <= 2


def test_every_step_looks_as_python_paints_it(visit, files, shown):
    sheet = opened(visit, files[0])
    for step in range(shown[0].steps + 1):
        assert step_of(sheet) == step
        assert near(painted(sheet), wanted(shown[0], step)), step
        sheet.keyboard.press("ArrowRight")
    assert not near(painted(sheet), wanted(shown[0], 3))


def test_buttons_and_keys_go_where_they_say(visit, files, shown):
    sheet, last = opened(visit, files[0]), shown[0].steps
    for button, step in (("#forth", 1), ("#forth", 2), ("#back", 1), ("#last", last), ("#first", 0)):
        sheet.click(button)
        assert step_of(sheet) == step
    for key, step in (
        *(("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("Shift+ArrowRight", last)),
        *(("Shift+ArrowLeft", 0), ("End", last), ("Home", 0), ("n", 2), ("n", 5), ("p", 2), ("p", 0)),
    ):
        sheet.keyboard.press(key)
        assert step_of(sheet) == step, key
    assert sheet.input_value("#speed") == "1"
    for key, speed in (("+", "2"), ("+", "4"), ("-", "2"), ("-", "1"), ("-", "0.5"), ("-", "0.5")):
        sheet.keyboard.press(key)
        assert sheet.input_value("#speed") == speed
    sheet.keyboard.press("?")
    assert sheet.is_visible("#help")
    assert "shift" in sheet.inner_text("#help")
    sheet.keyboard.press("ArrowRight")
    assert step_of(sheet) == 0
    sheet.keyboard.press("Escape")
    assert not sheet.is_visible("#help")


def test_it_plays_and_pauses(visit, files, shown):
    sheet = opened(visit, files[0])
    sheet.select_option("#speed", "0.5")
    sheet.click("#play")
    assert sheet.get_attribute("#play", "aria-label") == "Pause"
    until(sheet, "Number(document.querySelector('#scrub').value) >= 2")
    sheet.click("#play")
    stood = step_of(sheet)
    sheet.wait_for_timeout(400)
    assert step_of(sheet) == stood
    assert near(painted(sheet), wanted(shown[0], stood))
    sheet.select_option("#speed", "32")
    sheet.locator("body").press(" ")
    until(sheet, "document.querySelector('#play').getAttribute('aria-label') === 'Play'")
    assert step_of(sheet) == shown[0].steps


def test_scrubbing_and_clicking_lead_to_a_step(visit, files, shown):
    sheet = opened(visit, files[0])
    box = sheet.locator("#scrub").bounding_box()
    sheet.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert abs(step_of(sheet) - shown[0].steps / 2) <= 1
    assert near(painted(sheet), wanted(shown[0], step_of(sheet)))
    sheet.click(".unlocked button >> text=collect wood")
    assert step_of(sheet) == 2
    sheet.locator(".mark").nth(1).click()
    assert step_of(sheet) == 5
    box = sheet.locator(".plots").bounding_box()
    sheet.mouse.click(box["x"] + box["width"] - 2, box["y"] + 10)
    assert step_of(sheet) == shown[0].steps
    sheet.evaluate("location.hash = '#3'")
    until(sheet, "document.querySelector('#scrub').value === '3'")
    assert near(painted(sheet), wanted(shown[0], 3))


def test_status_and_words_tell_of_the_step(visit, files):
    sheet = opened(visit, files[0], "#1")
    assert "+5 wood" in sheet.inner_text(".now")
    assert sheet.get_attribute(".slot >> nth=0", "aria-label") == "5 wood"
    assert re.search(r"zombie 1 up 2 left.*cow 1 down", sheet.get_attribute(".view canvas", "aria-label"))
    sheet.keyboard.press("ArrowRight")
    assert "★ collect wood" in sheet.inner_text(".now")
    assert "reward +1" in sheet.inner_text(".now")
    assert "health −2.5" in sheet.inner_text(".now")
    assert sheet.inner_text(".vitals b >> nth=0") == "6"
    sheet.keyboard.press("ArrowRight")
    assert "Overworld" in sheet.inner_text(".place")
    assert "Asleep" in sheet.inner_text(".place")
    sheet.keyboard.press("End")
    assert sheet.inner_text(".badge") == "return 0.9 · won at step 7"


def test_the_map_shows_what_has_been_seen_and_the_way(visit, files):
    sheet = opened(visit, files[0])
    look = """() => {
      const canvas = document.querySelector(".map canvas");
      const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const tiles = [...Array(48 * 48).keys()];
      return tiles.map((tile) => data[4 * ((Math.floor(tile / 48) * 16 + 3) * width + (tile % 48) * 16 + 3) + 1]);
    }"""

    def opaque():
        """The tiles that show anything: a pixel of each is bright."""
        return np.array(sheet.evaluate(look)).reshape(48, 48) > 60

    first = opaque()
    assert first[16:25, 15:26].all()
    assert first.sum() < 140
    sheet.keyboard.press("ArrowRight")
    assert opaque()[16:25, 15:27].all()
    sheet.keyboard.press("Home")
    assert np.array_equal(opaque(), first)
    names = [name.lower() for name in sheet.locator(".floors button").all_inner_texts()]
    assert names == ["overworld", "dungeon", "graveyard"]
    assert sheet.locator(".floors button").nth(1).is_disabled()
    sheet.keyboard.press("End")
    sheet.locator(".floors button").nth(1).click()
    assert sheet.locator(".floors button").nth(1).get_attribute("aria-pressed") == "true"


def test_players_stand_side_by_side_on_one_time(visit, files, shown):
    sheet = opened(visit, files[1], scheme="dark", width=1900)
    assert sheet.locator(".panel h2").all_inner_texts() == [
        *("by hand", "classic", "company, player 0", "company, player 1")
    ]
    lefts = [panel.bounding_box()["x"] for panel in sheet.locator(".panel").all()]
    assert lefts == sorted(set(lefts))
    for step in (0, 4, 9, 12):
        sheet.evaluate(f"location.hash = '#{step}'")
        until(sheet, f"document.querySelector('#scrub').value === '{step}'")
        players = [(episode, player) for episode in shown for player in range(episode.players)]
        for number, (episode, player) in enumerate(players):
            assert near(painted(sheet, number), wanted(episode, step, player)), (step, number)
    assert all("at step" in text for text in sheet.locator(".badge").all_inner_texts())
    assert sheet.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("scheme", "lighter"), [("light", True), ("dark", False)])
def test_it_is_sharp_and_fits_in_light_and_dark(visit, files, scheme, lighter):
    sheet = opened(visit, files[0], scheme=scheme, width=420)
    assert sheet.evaluate("document.documentElement.scrollWidth <= innerWidth")
    canvas = sheet.locator(".view canvas")
    assert canvas.evaluate("canvas => getComputedStyle(canvas).imageRendering") == "pixelated"
    assert canvas.bounding_box()["width"] % canvas.evaluate("canvas => canvas.width") == 0
    ground = sheet.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (int(re.findall(r"\d+", ground)[0]) > 128) == lighter


def test_every_control_has_a_name(visit, files):
    sheet = opened(visit, files[1])
    nameless = """() => [...document.querySelectorAll("button, input, select, canvas, summary")].filter((control) =>
      !(control.getAttribute("aria-label") || control.textContent.trim() || control.closest("label, [aria-hidden]"))
    ).map((control) => control.outerHTML)"""
    assert sheet.evaluate(nameless) == []
