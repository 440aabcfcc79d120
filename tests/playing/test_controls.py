"""Keys do the same behind every face."""

import numpy as np

from openworld.content.ids import Action
from openworld.observe.seen import Seen
from openworld.playing import choices
from openworld.playing.controls import Controls, summary
from openworld.playing.player import SinglePlayer
from tests.playing.fakes import FakeSession


def begun(**settings):
    player = SinglePlayer(FakeSession(**settings))
    player.again()
    return player, Controls(player)


def test_a_key_is_a_step():
    player, controls = begun()
    for key in ("space", "left", "w"):
        controls.press(key)
        assert player.poll()
    assert player.session.played == [[Action.DO], [Action.LEFT], [Action.UP]]
    assert not player.poll()


def test_what_is_typed_ahead_is_bounded():
    player, controls = begun()
    for _ in range(20):
        controls.press("space")
    while player.poll():
        pass
    assert len(player.session.played) <= 3


def test_a_key_that_does_nothing_is_answered():
    player, controls = begun()
    controls.press("!")
    assert controls.answer == "! does nothing; h shows the keys"
    controls.press("v")  # arrows are of the full rules
    assert "does nothing" in controls.answer
    assert not player.poll()


def test_help_is_closed_by_any_key_which_then_does_nothing():
    player, controls = begun()
    controls.press("?")
    assert controls.help
    controls.press("space")
    assert not controls.help
    assert not player.poll()


def test_leaving_takes_two_presses_while_the_game_goes_on():
    _, controls = begun()
    controls.press("Q")
    assert not controls.left
    assert controls.answer == "Press Q again to leave"
    controls.press("Q")
    assert controls.left


def test_giving_takes_two_keys():
    player, controls = begun(id="OpenWorld-Coop-v0")
    controls.press("y")
    assert controls.answer.startswith("Give what? w wood, s stone")
    controls.press("escape")
    assert controls.half == ""
    controls.press("y")
    controls.press("w")
    player.poll()
    assert player.session.played == [[Action.GIVE_WOOD]]


def test_the_end_is_reported_and_a_new_world_begins():
    player, controls = begun(limit=1)
    controls.press("enter")
    assert "once this one is over" in controls.answer
    controls.press("space")
    player.poll()
    assert summary(player) == [
        "The time is up",
        "after 1 steps, with a return of 1.0",
        "1 of 22 achievements",
    ]
    controls.press("space")
    assert "is over" in controls.answer
    controls.press("enter")
    assert (player.session.worlds, player.moment.step) == (2, 0)
    assert player.log.events == ()


def test_the_list_tells_what_can_be_made_and_what_is_missing():
    player, controls = begun()
    for _ in range(2):
        seen = Seen(player.log.tokens, player.rules)
        table = next(c for c in choices.crafts(seen, player.moment.mask) if c.action == Action.PLACE_TABLE)
        assert not table.useful
        controls.press("space")
        player.poll()
    seen = Seen(player.log.tokens, player.rules)
    made = {c.action: c for c in choices.crafts(seen, player.moment.mask)}
    assert (made[Action.PLACE_TABLE].useful, made[Action.PLACE_TABLE].cost) == (True, "2 wood")
    assert made[Action.MAKE_WOOD_PICKAXE].lacks == "go to table"
    assert made[Action.MAKE_IRON_SWORD].lacks == "need 1 stone, 1 coal, 1 iron more"
    assert [c.name for c in choices.now(seen, player.moment.mask)] == ["search the grass for a sapling"]
    assert choices.hint(player.log.achievements, 22) == "with 2 wood, press t to place a table"
    assert choices.hint(np.ones(67, bool), 67) == ""
