"""The model of training at scale, and the page that shows it."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from openworld.bench import markdown
from openworld_trainers.studies.scale import collectives
from openworld_trainers.studies.scale import costs as scale

ROOT = Path(__file__).parents[2]


def test_collective_operations_are_found_in_a_program():
    text = """
  %a = f32[3,4]{1,0} all-reduce(%b), replica_groups={{0,1}}
  %c = (s8[5]{0}, f32[]) all-reduce-start(%d, %e)
  %f = pred[16]{0} all-gather(%g), dimensions={0}
  %h = f32[9]{0} add(%a, %all-reduce.1)
"""
    assert collectives.collectives(text) == [("all-reduce", 48), ("all-reduce", 9), ("all-gather", 16)]


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


def test_the_page_about_scale_shows_the_model():
    page = (ROOT / "docs" / "explanation" / "scale.md").read_text()
    hint = "run: python -m openworld_trainers.studies.scale --update docs/explanation/scale.md"
    assert markdown.filled(page, {"counts": scale.counts(), "scale": scale.table()}) == page, hint


def simulated(*words: str) -> list[list[str]]:
    """The rows that a fresh process with simulated devices prints."""
    done = subprocess.run(
        [sys.executable, "-m", "openworld_trainers.studies.scale", "--simulate", *words],
        cwd=ROOT,
        env={**os.environ, "JAX_COMPILATION_CACHE_DIR": str(jax.config.jax_compilation_cache_dir or "")},
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if "step of" in line]


@pytest.mark.slow
def test_devices_send_nothing_in_a_step_and_the_parameters_once_in_a_gradient_step():
    step, gradient = simulated("OpenWorld-Classic-v0")
    assert step[1:] == ["0", "0"]
    assert gradient[1:] == ["1", f"{4 * scale.network().parameters:,}"]
