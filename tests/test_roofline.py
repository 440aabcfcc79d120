"""The roofline of a step, and the page that shows it."""

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

import openworld
from openworld.bench import markdown
from openworld.bench.roofline import __main__ as command
from openworld.bench.roofline import count, measure, model, pages
from openworld.bench.roofline.model import SECTOR, Entry, Machine, Rates

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "explanation"
CLASSIC = openworld.make("OpenWorld-Classic-v0")


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
    rules, least = CLASSIC.ruleset, model.least_bytes(CLASSIC, Rates())
    looks = 9 + 4 * rules.mobs + rules.projectiles
    assert least["step"] == 2 * world + looks + 1 + 4 + 4 + 2
    assert least["observation"] == rules.view_rows * rules.view_cols + tokens
    assert least["rollout"] == least["step"] + least["observation"]
    assert least["reset"] > rules.rows * rules.cols + world + tokens
    assert not {"floor", "dark"} & set(least)


def test_rare_work_counts_at_its_rates():
    least, often = model.least_bytes(CLASSIC), model.least_bytes(CLASSIC, Rates(reset=1000.0))
    assert often["rollout"] == least["step"] + least["observation"] + least["reset"]
    assert least["rollout"] > least["step"] + least["observation"]
    assert all(model.least_bytes(CLASSIC, grain=SECTOR)[part] > size for part, size in least.items())


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


def test_a_machine_is_limited_by_its_bytes_and_by_its_operations():
    least, work = model.least_bytes(CLASSIC, grain=SECTOR)["rollout"], model.operations(CLASSIC)["rollout"]
    assert model.limits(CLASSIC, Machine("", 1e9, 2e9)) == pytest.approx((1e9 / least, 2e9 / work))
    assert model.share(CLASSIC, 10.0, None)["bandwidth_share"] is None
    share = model.share(CLASSIC, 10.0, 1e6)
    assert share["bandwidth_share"] == pytest.approx(share["least_bytes"]["rollout"] / 1e5)


def test_the_limits_of_this_machine_are_measured():
    assert 1e8 < measure.bandwidth(1 << 16, seconds=0.001) < 1e14
    assert 1e8 < measure.operations(seconds=0.001) < 1e14


def test_a_page_is_filled_between_its_marks():
    page = "a\n<!-- table: x -->\nold\n<!-- end -->\nb <!-- table: y -->"
    new = markdown.filled(page, {"x": "\\new"})
    assert new == "a\n<!-- table: x -->\n\n\\new\n\n<!-- end -->\nb <!-- table: y -->"
    assert markdown.filled(new, {"x": "\\new"}) == new
    with pytest.raises(ValueError, match="no single place for the table 'y'"):
        markdown.filled(page, {"y": ""})


def test_the_page_about_performance_shows_the_bytes_of_today():
    page = (PAGES / "performance.md").read_text()
    hint = "run: python -m openworld.bench.roofline --update docs/explanation/performance.md"
    assert markdown.filled(page, {"bytes": pages.bytes_table(model.IDS)}) == page, hint
    # The operations move with every change of the rules; a quarter more or less changes no conclusion.
    (shown,) = re.findall(r"^\| rollout \| ([\d,]+) \| ([\d,]+) \|$", page, re.MULTILINE)
    for id, text in zip(model.IDS, shown, strict=True):
        counted = model.operations(openworld.make(id))["rollout"]
        assert int(text.replace(",", "")) == pytest.approx(counted, rel=0.25), hint


def test_the_command_line_prints_the_tables_and_updates_a_page(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("".join(f"<!-- table: {name} -->\n<!-- end -->\n" for name in ("bytes", "operations")))
    assert command.main(["--id", "OpenWorld-Classic-v0", "--update", str(page)]) == 0
    shown = capsys.readouterr().out
    assert "| limit by bytes | limit by operations |" in shown
    assert pages.bytes_table(["OpenWorld-Classic-v0"]) in page.read_text()
    assert command.main(["--id", "OpenWorld-v9"]) == 2
    assert "did you mean OpenWorld-v0" in capsys.readouterr().err
