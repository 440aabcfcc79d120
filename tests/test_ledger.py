"""The least that a step moves and works out, the model of training at scale, and the pages that show both."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

import openworld
from openworld.bench import ceilings, count, ledger, pages, scale
from openworld.bench.ledger import SECTOR, Entry, Rates

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "explanation"
CLASSIC = openworld.make("OpenWorld-Classic-v0")
NEEDS_TRAINERS = pytest.mark.skipif(
    importlib.util.find_spec("openworld_trainers") is None, reason="needs the trainers"
)


def test_a_piece_touches_a_sector_for_each_place_and_one_more_where_it_crosses():
    # Over all 32 places where it can begin, eleven bytes touch 1 + 10/32 sectors.
    touched = [(first + 11 - 1) // SECTOR + 1 for first in range(SECTOR)]
    assert Entry("", "", 1, 11).bytes(SECTOR) * SECTOR == SECTOR * sum(touched)
    assert Entry("", "", 3, 11).bytes() == 33
    assert Entry("", "", 0, 11).bytes(SECTOR) == 11


def test_the_least_bytes_are_those_of_the_records():
    obs, state = jax.eval_shape(CLASSIC.reset_seeds, jax.ShapeDtypeStruct((8, 2), jnp.uint32))

    def size(records) -> int:
        return sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(records)) // 8

    world, tokens = size((state.world, state.episode_return)), size(obs)
    rules, least = CLASSIC.ruleset, ledger.least_bytes(CLASSIC, Rates())
    looks = 9 + 4 * rules.mobs + rules.projectiles
    assert least["step"] == 2 * world + looks + 1 + 4 + 4 + 2
    assert least["observation"] == rules.view_rows * rules.view_cols + tokens
    assert least["rollout"] == least["step"] + least["observation"]
    assert least["reset"] > rules.rows * rules.cols + world + tokens
    assert not {"floor", "dark"} & set(least)


def test_rare_work_counts_at_its_rates():
    least, often = ledger.least_bytes(CLASSIC), ledger.least_bytes(CLASSIC, Rates(reset=1000.0))
    assert often["rollout"] == least["step"] + least["observation"] + least["reset"]
    assert least["rollout"] > least["step"] + least["observation"]
    assert all(ledger.least_bytes(CLASSIC, grain=SECTOR)[part] > size for part, size in least.items())


def test_operations_are_counted_element_by_element():
    def inner(x):
        return jnp.where(x > jnp.int32(0), x + jnp.int32(1), x).reshape(2, 3)  # 3 x 6

    def outer(x):
        y = jax.jit(inner)(x)
        z = jax.lax.cond(y[0, 0] > jnp.int32(0), lambda: y * y, lambda: y * y + y)  # 1, a conversion, 12
        return jnp.sum(z), jax.lax.scan(lambda c, _: (c + jnp.int32(1), None), jnp.int32(0), length=5)  # 6, 5

    traced = jax.make_jaxpr(outer)(jnp.zeros(6, jnp.int32)).jaxpr
    assert count.operations(traced) == 18 + 2 + 12 + 6 + 5


def test_gathers_are_counted_in_bytes():
    table = jnp.zeros((8, 2), jnp.int32)
    traced = jax.make_jaxpr(jax.jit(lambda i: table[i]))(jnp.zeros(5, jnp.int32)).jaxpr
    assert count.gathered_bytes(traced) == 5 * 2 * 4


def test_what_crosses_devices_is_found_in_a_program():
    text = """
  %a = f32[3,4]{1,0} all-reduce(%b), replica_groups={{0,1}}
  %c = (s8[5]{0}, f32[]) all-reduce-start(%d, %e)
  %f = pred[16]{0} all-gather(%g), dimensions={0}
  %h = f32[9]{0} add(%a, %all-reduce.1)
"""
    assert count.collectives(text) == [("all-reduce", 48), ("all-reduce", 9), ("all-gather", 16)]


def test_the_floor_is_the_slower_of_both():
    least, work = ledger.least_bytes(CLASSIC)["rollout"], ledger.operations(CLASSIC)["rollout"]
    assert ledger.floor(CLASSIC, 1e9, 1e30) == pytest.approx(1e9 / least)
    assert ledger.floor(CLASSIC, 1e30, 1e9) == pytest.approx(1e9 / work)


def test_the_ceilings_are_measured():
    assert 1e8 < ceilings.bandwidth(1 << 16, seconds=0.001) < 1e14
    assert 1e8 < ceilings.operations(seconds=0.001) < 1e14


def test_a_page_is_filled_between_its_marks():
    page = "a\n<!-- table: x -->\nold\n<!-- end -->\nb <!-- table: y -->"
    new = pages.filled(page, {"x": "\\new"})
    assert new == "a\n<!-- table: x -->\n\n\\new\n\n<!-- end -->\nb <!-- table: y -->"
    assert pages.filled(new, {"x": "\\new"}) == new
    with pytest.raises(ValueError, match="no single place for the table 'y'"):
        pages.filled(page, {"y": ""})


def test_the_page_about_performance_shows_the_bytes_of_today():
    page = (PAGES / "performance.md").read_text()
    told = "run: python -m openworld.bench.ledger --update docs/explanation/performance.md"
    assert pages.filled(page, {"bytes": pages.bytes_table(ledger.IDS)}) == page, told
    # The operations move with every change of the rules; a quarter more or less changes no conclusion.
    (shown,) = re.findall(r"^\| rollout \| ([\d,]+) \| ([\d,]+) \|$", page, re.MULTILINE)
    for id, text in zip(ledger.IDS, shown, strict=True):
        counted = ledger.operations(openworld.make(id))["rollout"]
        assert int(text.replace(",", "")) == pytest.approx(counted, rel=0.25), told


def test_an_all_reduce_is_a_ring():
    links = scale.Links(node=8, inside=100.0, between=10.0, latency_inside=1.0, latency_between=2.0)
    assert links.all_reduce(50, 1) == 0
    assert links.all_reduce(50, 2) == 1 + 50 / 100
    assert links.all_reduce(50, 16) == 2 + 2 * 15 / 16 * 50 / 10


def test_a_transition_costs_what_the_formulae_say():
    net = scale.Network(weights=10, parameters=12, activations=5, width=4)
    device = scale.Accelerator(worlds=2.0, flops=100.0, bandwidth=10.0, reached=0.5)
    rule = scale.Learning(epochs=3, minibatch=40)
    alone = scale.costs(1, net, rule, device)
    assert (alone.play, alone.policy, alone.learning, alone.wait) == (0.5, 8.0, 60.0, 0.0)
    assert alone.in_all == 68.5
    # Four accelerators give ten transitions each to a minibatch, for which they wait once.
    shared = scale.costs(4, net, rule, device, scale.Links(inside=16.0, latency_inside=0.5))
    assert shared.wait == pytest.approx(3 / 10 * (0.5 + 1.5 * 48 / 16))
    # Where arithmetic is slower than memory it counts.
    assert scale.costs(1, net, rule, scale.Accelerator(flops=1.0, reached=1.0)).policy == 20


@NEEDS_TRAINERS
def test_the_page_about_scale_shows_the_model():
    page = (PAGES / "scale.md").read_text()
    told = "run: python -m openworld.bench.scale --update docs/explanation/scale.md"
    assert pages.filled(page, {"counts": scale.counts(), "scale": scale.table()}) == page, told


def simulated(*words: str) -> list[list[str]]:
    """The rows that a fresh process with simulated devices prints."""
    done = subprocess.run(
        [sys.executable, "-m", "openworld.bench.scale", "--simulate", *words],
        cwd=ROOT,
        env={**os.environ, "JAX_COMPILATION_CACHE_DIR": str(jax.config.jax_compilation_cache_dir or "")},
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if "step of" in line]


@pytest.mark.slow
@NEEDS_TRAINERS
def test_devices_send_nothing_in_a_step_and_the_parameters_once_in_a_gradient_step():
    step, gradient = simulated("OpenWorld-Classic-v0")
    assert step[1:] == ["0", "0"]
    assert gradient[1:] == ["1", f"{4 * scale.network().parameters:,}"]
