"""Protocols never change: what they fix, the first seeds, and what is refused."""

import dataclasses

import numpy as np
import pytest

from openworld import registry
from openworld.content.rulesets import FULL
from openworld.core.random import HELD_OUT
from openworld.judging.protocols import DEFAULT, PROTOCOLS, ProtocolError, protocol

NAMES = ["openworld-v0-2026", "openworld-classic-v0-2026"]


def test_what_a_protocol_fixes_stays(golden):
    golden(
        "protocols",
        {
            name: {
                "settings": PROTOCOLS[name].settings(),
                "first seeds": PROTOCOLS[name].seeds()[:5].tolist(),
            }
            for name in NAMES
        },
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_worlds_are_held_out_and_differ(name):
    seeds = protocol(name).seeds()
    assert seeds.shape == (1000, 2)
    assert (seeds[:, 0] & HELD_OUT != 0).all()
    assert len(np.unique(seeds, axis=0)) == 1000


def test_they_are_those_of_reset():
    small = PROTOCOLS["small"]
    _, state = registry.make(small.world).reset(small.key, small.episodes, held_out=True)
    np.testing.assert_array_equal(np.asarray(state.world.seed), small.seeds())


def test_the_most_that_can_be_reached():
    assert [PROTOCOLS[name].total for name in NAMES] == [226, 22]
    assert [len(PROTOCOLS[name].achievements) for name in NAMES] == [67, 22]
    assert NAMES[0] == DEFAULT


def test_an_unknown_protocol_names_the_nearest():
    with pytest.raises(ProtocolError, match="did you mean 'openworld-v0-2026'"):
        protocol("openworld-v0-2025")
    with pytest.raises(ProtocolError, match="there are openworld-v0-2026"):
        protocol("chess")


def test_other_worlds_or_rules_are_noticed():
    with pytest.raises(ProtocolError, match="does not make the worlds"):
        dataclasses.replace(protocol(DEFAULT), key=1).seeds()
    with pytest.raises(ProtocolError, match=f"under rules 'full-0'; these are 'full-{FULL.version}'"):
        dataclasses.replace(protocol(DEFAULT), rules="full-0").check_rules()
    for name in NAMES:
        protocol(name).check_rules()
