"""The leaderboard holds what is true and nothing else."""

import json
from pathlib import Path

import numpy as np
import pytest

from openworld import cli, registry
from openworld.judging.episodes import play_again
from openworld.judging.leaderboard import files, page
from openworld.judging.protocols import protocol
from openworld.judging.result import Result
from tests.helpers_results import signed

DOCS = Path(__file__).parents[2] / "docs"
RESULTS = sorted((DOCS / "results" / "leaderboard").glob("*.json"))


def test_the_page_in_docs_is_that_of_the_results_beside_it():
    found = page([(path, Result.load(path)) for path in RESULTS], DOCS)
    assert (DOCS / "leaderboard.md").read_text() == found


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_its_results_are_of_protocols_that_still_hold(path):
    result = Result.load(path)
    of = protocol(result.protocol["name"])
    assert result.protocol == of.settings()
    np.testing.assert_array_equal(result.seeds, of.seeds())


@pytest.mark.slow
@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_its_shortest_episodes_play_as_recorded(path):
    """The others take longer than a test may: `openworld leaderboard` plays them all."""
    result = Result.load(path)
    of = np.argsort(result.episodes.lengths, kind="stable")[:16]
    world = registry.make(
        result.protocol["world"], observation="tokens", time_limit=result.protocol["time_limit"]
    )
    found = play_again(world, result.seeds[of], [result.episodes.actions[i] for i in of], at_once=len(of))
    assert found.digests == [result.episodes.digests[i] for i in of]
    np.testing.assert_array_equal(found.returns, result.episodes.returns[of])


def test_only_true_results_are_written(path, tmp_path, capsys):
    lie = json.loads(path.read_text())
    lie["numbers"]["score"]["value"] = 99.0
    (tmp_path / "lie.json").write_text(json.dumps(signed(lie)))
    (tmp_path / "other.json").write_text("{}")
    out = tmp_path / "board.md"
    assert cli.main(["leaderboard", str(tmp_path), "--out", str(out)]) == 1
    message = capsys.readouterr().err
    assert f"{tmp_path / 'lie.json'}: score.value: claimed 99.0" in message
    assert "other.json is not a result" in message
    text = out.read_text()
    assert text.count("[file](walker.json)") == 1
    assert "lie.json" not in text
    (tmp_path / "lie.json").unlink()
    (tmp_path / "other.json").unlink()
    assert cli.main(["leaderboard", str(tmp_path), "--out", str(out)]) == 0
    assert out.read_text() == text


def test_the_best_comes_first_and_nothing_breaks_the_table(made, tmp_path):
    import copy

    better = copy.deepcopy(made)
    better.agent["name"] = "a | strange\n<name>"
    better.numbers["share"]["iqm"]["value"] += 0.5
    text = page([(tmp_path / "a.json", made), (tmp_path / "b.json", better)], tmp_path)
    assert text.index("| a \\| strange &lt;name&gt; |") < text.index("| walker |")
    assert text.count("\n## ") == 1


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match="there is no "):
        files([tmp_path / "gone"])
