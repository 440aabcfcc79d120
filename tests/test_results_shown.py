"""What the judging commands show of results: a page and lines that no file can break, and the exit codes."""

import json
import os
import unicodedata
from typing import Any

import pytest
from markdown_it import MarkdownIt

from openworld import cli
from openworld.judging import judge, leaderboard
from openworld.judging.result import Result, ResultError
from openworld.judging.verify import Verdict
from tests import helpers_results
from tests.test_foreign_text import HOSTILE, Tags


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_one_bad_file_costs_one_line_of_the_page(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "results"
    folder.mkdir()
    helpers_results.make(folder / "a.json", name="good")
    huge = json.loads(helpers_results.make(folder / "b.json").read_text())
    huge["numbers"]["score"]["value"] = 10**309
    (folder / "b.json").write_text(json.dumps(huge))
    os.mkfifo(folder / "c.json")
    (folder / "d.json").mkdir()
    (folder / "e.json").symlink_to(folder / "gone")
    helpers_results.make(folder / "f.json", name="short")
    helpers_results.make(folder / "g.json", name="strange")
    (folder / "\x1b[2J.json").write_text("{")

    def verdict(result: Result, say: Any) -> Verdict:
        if result.agent["name"] == "strange":
            raise RuntimeError("out of\nmemory")
        return Verdict((), 3, 60, 1000 if result.agent["name"] == "short" else 3)

    monkeypatch.setattr(leaderboard, "verify", verdict)
    out = tmp_path / "board.md"
    assert cli.main(["leaderboard", str(folder), "--out", str(out)]) == 1
    told = [line.removeprefix(f"{folder}{os.sep}") for line in capsys.readouterr().err.splitlines()]
    assert [line for line in told if not line.startswith("playing ")] == [
        *[
            line
            for line in told
            if line.startswith("\\x1b[2J.json is not a result: not JSON: Expecting property name")
        ],
        *[line for line in told if line.startswith("b.json is not a result: the number 1000")],
        "c.json is not a result: not a regular file",
        "d.json is not a result: not a regular file",
        "e.json: No such file or directory",
        "f.json: true, but a trial of 3 of 1000 episodes",
        "g.json: it could not be verified: RuntimeError: out of memory",
    ]
    assert out.read_text().count("[file](") == 1
    assert "| good |" in out.read_text()


def test_a_trial_is_told_from_a_lie(monkeypatch, tmp_path, capsys):
    path = helpers_results.make(tmp_path / "a.json")
    for differences, code, line in (
        (
            (),
            0,
            f"{path}: true, but a trial of 3 of 1000 episodes. 'somebody' by openworld-classic-v0-2026: 3 episodes",
        ),
        (("episode 0: return is claimed",), 1, f"{path}: episode 0: return is claimed"),
    ):
        monkeypatch.setattr(
            "openworld.judging.verify.verify",
            lambda *_, differences=differences, **__: Verdict(differences, 3, 60, 1000),
        )
        assert cli.main(["verify", str(path)]) == code
        assert capsys.readouterr().out.startswith(line)


@pytest.mark.parametrize(
    "words",
    [
        ["verify", "{path}", "--most", "-1"],
        ["verify", "{path}", "--most", "x" * 50],
        ["verify", "{path}x"],
        ["verify", "."],
        ["evaluate", "--agent", "random", "--episodes", str(10**12)],
        ["evaluate", "--agent", "random", "--episodes", "1", "--worlds", str(-(10**30))],
        ["evaluate", "run", "--episodes", str(10**30)],
        ["evaluate", "--agent", "random", "--episodes", "1", "--name", "n" * 10_000],
        ["evaluate", "--agent", "random", "--episodes", "1", "--out", "."],
        ["evaluate", "--agent", "random", "--protocol", "\x1b[2J"],
        ["leaderboard", "{path}", "--out", "."],
        ["leaderboard", "gone"],
    ],
)
def test_mistakes_are_one_line_before_anything_is_played(tmp_path, monkeypatch, words, capsys):
    monkeypatch.chdir(tmp_path)
    path = helpers_results.make(tmp_path / "a.json")
    assert cli.main([word.format(path=path) for word in words]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert len(said.err) < 500
    assert "\x1b" not in said.err
    assert not said.out
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("name", [name for name in HOSTILE if 0 < len(name) <= 200])
def test_foreign_names_stay_text_on_the_page_and_on_the_terminal(name, tmp_path, monkeypatch, capsys):
    reading = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    made = helpers_results.result(name=name)
    file = name[:40].replace("/", "_").replace("\0", "").encode("utf-8", "replace").decode()
    page = leaderboard.page([(tmp_path / f"{file}.json", made)], tmp_path)
    harmless = leaderboard.page([(tmp_path / "a.json", helpers_results.result(name="harmless"))], tmp_path)
    found, plain = Tags(reading.render(page)), Tags(reading.render(harmless))
    assert found.found == plain.found
    assert page.count("\n") == harmless.count("\n")
    path = tmp_path / "a.json"
    if "\ud800" in name:
        with pytest.raises(ResultError, match=r"agent\.name is "):
            made.save(path)
        return
    made.save(path)
    monkeypatch.setattr("openworld.judging.verify.verify", lambda *_, **__: Verdict((), 3, 60, 3))
    assert cli.main(["verify", str(path)]) == 0
    said = capsys.readouterr().out + "\n".join(judge.lines(made))
    assert not {unicodedata.category(letter) for letter in said if letter != "\n"} & {
        "Cc",
        "Cf",
        "Cs",
        "Co",
        "Cn",
        "Zl",
        "Zp",
    }
    assert said.splitlines()[0].startswith(f"{path}: true. '")
