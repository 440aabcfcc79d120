"""The command line: help is fast, and mistakes are reported in one line with exit code 2."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from openworld import cli
from openworld.cli import commands, options
from tests.test_foreign_text import HOSTILE

ROOT = Path(__file__).parent.parent


def run(*words: str, **settings: str) -> subprocess.CompletedProcess:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "openworld", *words],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "100", **settings},
        capture_output=True,
        text=True,
        check=False,
    )


def refusal(*words: str) -> str:
    """The one line that a mistaken command prints."""
    done = run(*words)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_help_names_every_command_and_loads_nothing_heavy():
    done = run("--help")
    assert done.returncode == 0
    for name in cli.COMMANDS:
        assert f"  {name} " in done.stdout
    code = "import sys; from openworld import cli; cli.main([]); "
    code += "heavy = ('jax', 'numpy', 'tyro', 'rich', 'gymnasium', 'openworld_trainers'); "
    code += "print([m for m in heavy if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_each_command_has_help(name):
    if name == "train-sb3":  # its options are Stable-Baselines3's
        pytest.importorskip("stable_baselines3")
    done = run(name, "--help")
    assert done.returncode == 0, done.stderr
    assert f"openworld {name}" in done.stdout
    text = " ".join(re.sub("[│╭╮╰╯─]", " ", done.stdout).split())
    # What leaving an option out means is said in words; values have plain names.
    for unclear in ("(default: None)", "(default: )", "(default: nothing)", "{None}", "{None,", "[["):
        assert unclear not in text
    # Each option has a text before its default.
    assert not re.search(r"(?:\)|exit) (?:--\S+(?: [A-Z{]\S*)? )+\((?:default|required)", text)


def test_the_version():
    assert run("--version").stdout.startswith("openworld 0.")


def test_options_of_training_are_those_of_its_settings():
    done = run("train", "--help")
    for option in (
        "--out",
        "--id",
        "--seed",
        "--transitions",
        "--resume",
        "--preset",
        "--rollout.worlds",
        "--learning.minibatch-size",
    ):
        assert option in done.stdout
    for option in ("--worlds", "--steps", "--reference", "--scaling"):
        assert f" {option} " in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trian"], "there is no command 'trian'; did you mean 'train'?"),
        (["xyz"], "there is no command 'xyz'; the commands are demo, train"),
        (["evaluate"], "openworld evaluate:"),
        (["evaluate", "/nowhere/run"], "/nowhere/run"),
        (["train", "--rollot.worlds", "3"], "--rollot.worlds"),
        (["train", "--rollout.worlds", "many"], "many"),
        (["train", "--rollout.worlds", "0"], "--rollout.worlds must be 1 to 67108864, not 0"),
        (
            ["train", "--preset", "huge"],
            "there is no preset 'huge'; the presets are tiny, demo, cpu, standard, strong",
        ),
        (["train", "--resume"], "--resume needs --out"),
        (["train", "--resume", "--out", "/nowhere/run"], "/nowhere/run"),
        (["train", "--resume", "--out", "run", "--worlds", "64"], "leave out --worlds"),
        (["train", "--preset", "tiny", "--steps", "8"], "to scale them: --steps with --reference tiny"),
        (["train", "--worlds", "1000"], "the nearest that do: worlds=1024"),
        (
            ["train", "--worlds", "many"],
            "train: --worlds: 'many' is not a whole number; write it as 4096, 4k",
        ),
        (["train", "--learning.ewma", "x"], "train: --learning.ewma: 'x' is not a number; write it as 0.5"),
        (["train", "--learning.epochs", "x"], "--learning.epochs: 'x' is not a number; write it as 0.5"),
        (["train", "--run-dir", "a"], "--run-dir is called --out now"),
        (
            ["train", "--learning.value_clip=1"],
            "--learning.value_clip is called --learning.value-clip-epsilon",
        ),
        (["train-sb3", "--envs", "8"], "--envs is called --worlds now"),
        (["verify", "a.json", "--most", "0"], "--most must be 1 to 2147483647, not 0"),
        (["bench", "--worlds", "0"], "--worlds must be 1 to 67108864, not 0"),
        (["train", "--worlds", "0"], "--worlds must be 1 to 67108864, not 0"),
        (["train", "--scaling", "linear"], "must be one of recipe, fixed-minibatches, sqrt"),
        (["train", "--reference", "huge"], "there are tiny, demo, cpu, standard, strong, million"),
        (["plan", "--memory", "much"], "'much' is not a size of memory; write it as 80GiB"),
        (["plan", "--platform", "abacus"], "must be one of cpu, gpu, tpu"),
        (["plan", "--devices", "3"], "3 devices cannot share 64 lanes of worlds evenly; 2 can"),
        (["report"], "openworld report:"),
        (["report", "/nowhere/run"], "/nowhere/run"),
        (["report", "/nowhere/run", "--out", "a.pdf"], "--out must end in .html or .png, not 'a.pdf'"),
        (["replay", "/nowhere/a.replay"], "/nowhere/a.replay: No such file or directory"),
        (["replay", "README.md"], "README.md is not a replay"),
        (["render", "--steps", "-1"], "--steps must be 0 to 2147483647, not -1"),
        (["replay", "a", "--video", "a.png"], "--video must end in .mp4 or .gif, not 'a.png'"),
        (["replay", "a", "--html", "a.txt"], "--html must end in .html, not 'a.txt'"),
        (["replay", "a", "--speed", "0.01"], "--speed must be 0.1 to 1000000, not 0.01"),
        (["replay"], "name at least one replay"),
        (["render", "--out", "a.jpg"], "--out must end in .png, .mp4 or .gif, not 'a.jpg'"),
        (["render", "--id", "OpenWorld-v7"], "did you mean OpenWorld-v0"),
        (["bench", "--kinds", "nothing"], "there is no kind 'nothing'"),
        (["bench", "--id", "OpenWorld-Clasic-v0"], "did you mean OpenWorld-Classic-v0"),
        (["train", "--env.id", "OpenWorld-v9"], "did you mean OpenWorld-v0"),
        (["info", "--id", "Nethack"], "unknown environment id 'Nethack'"),
    ],
)
def test_mistakes_are_reported_in_one_line(words, message):
    assert message in refusal(*words)


def test_values_are_found_however_they_are_given():
    words = ["--time_limit", "a", "--worlds=12", "--steps", "many", "--last"]
    assert options.value_of("--time-limit", words) == "a"
    assert options.number_of("--worlds", words) == 12
    assert options.number_of("--steps", words) is None
    assert options.value_of("--last", words) is None
    assert options.value_of("--other", words) is None
    # As for the parser, the last one counts.
    assert options.value_of("--from", ["--from", "a", "--from=b"]) == "b"
    assert options.is_on("--from-optimiser", ["--no-from-optimiser", "--from_optimiser"])
    assert not options.is_on("--resume", ["--resume", "--no-resume"])


def test_a_missing_extra_is_named():
    error = ModuleNotFoundError("No module named 'optax'", name="optax")
    assert (
        options.message_of(error)
        == 'needs optax, which is not installed: pip install ".[train]" in the checkout'
    )
    error = ModuleNotFoundError("No module named 'imageio.v2'", name="imageio.v2")
    assert options.message_of(error).endswith('pip install ".[video]" in the checkout')


def test_a_missing_package_is_found_before_anything_slow(monkeypatch, capsys):
    monkeypatch.setattr(options.importlib.util, "find_spec", lambda name: None)
    for command in (["train"], ["plan"], ["demo"]):
        assert cli.main(command) == 2
        assert 'pip install ".[train]" in the checkout' in capsys.readouterr().err


def test_errors_that_are_ours_are_not_hidden(monkeypatch):
    def broken(_):
        raise KeyError("a mistake in the program")

    monkeypatch.setitem(cli.COMMANDS, "info", cli.Command("", broken))
    with pytest.raises(KeyError):
        cli.main(["info"])


def test_an_interruption_is_reported(monkeypatch, capsys):
    def slow(_):
        raise KeyboardInterrupt

    monkeypatch.setitem(cli.COMMANDS, "info", cli.Command("", slow))
    assert cli.main(["info"]) == 130
    assert capsys.readouterr().err == "openworld info: interrupted\n"


def test_a_traceback_can_be_asked_for(monkeypatch):
    monkeypatch.setenv("OPENWORLD_TRACEBACK", "1")
    with pytest.raises(ValueError, match="unknown environment id"):
        cli.main(["info", "--id", "Nethack"])


def test_info():
    done = run("info")
    assert done.returncode == 0, done.stderr
    rows = {line.split("  ")[0]: line.split("  ")[1:] for line in done.stdout.splitlines()}
    shown = {name: [text.strip() for text in texts if text.strip()] for name, texts in rows.items()}
    assert shown["id"] == [
        "OpenWorld-v0",
        "OpenWorld-Classic-v0",
        "OpenWorld-Endless-v0",
        "OpenWorld-Coop-v0",
    ]
    assert shown["actions"] == ["43", "17", "43", "60"]
    assert shown["achievements"] == ["67", "22", "67", "67"]
    assert shown["players"] == ["1", "1", "1", "1 to 8"]
    assert shown["tokens (uint8)"] == ["445", "307", "445", "479"]
    assert shown["symbolic (float32)"] == ["8,268", "1,345", "8,268", "9,711"]
    assert shown["pixels (uint8)"] == [*["130 x 110 x 3", "63 x 63 x 3"], *["130 x 110 x 3"] * 2]
    assert shown["floors"] == ["9", "1", "9 and on", "9"]
    full, classic, endless, two = (int(text.replace(",", "")) for text in shown["bytes of a world"])
    assert full == endless < two <= 32 * 1024
    assert "OpenWorld-Classic-Pixels-v0 is OpenWorld-Classic-v0 seen as pixels" in done.stdout
    assert classic <= 6 * 1024
    for text in ("jax ", "compiled programs are kept in"):
        assert text in done.stdout
    one = run("info", "--id", "OpenWorld-Classic-v0").stdout
    assert "OpenWorld-Endless-v0" not in one
    assert "307" in one


@pytest.mark.slow
def test_a_plan_shows_each_number_and_whether_it_fits():
    words = ("plan", "--worlds", "64", "--reference", "tiny", "--env.id", "OpenWorld-Classic-v0")
    done = run(*words, "--learning.epochs", "3")
    assert done.returncode == 0, done.stderr
    for text in (
        "learning.minibatch-size 64 as in tiny, however many worlds",
        "learning.epochs 3 as asked",
        "gradient steps per update 48 3 epochs x 16 minibatches",
        "OpenWorld-Classic-v0, 64 worlds x 16 steps on 1 device (cpu)",
        "64 worlds x 4,402 bytes of state",
        ": it fits, with ",
        " left room for about ",
    ):
        assert text in " ".join(done.stdout.split())
    done = run(*words, "--memory", "1MiB", "--platform", "cpu")
    assert done.returncode == 1, done.stderr
    assert "each device has 1 MiB: " in done.stdout
    assert " too little\n" in done.stdout


@pytest.mark.slow
def test_a_world_is_shown_and_a_replay_checked(tmp_path, capsys):
    done = run("render", "--steps", "3", "--out", str(tmp_path / "a.png"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    shown = run("render")
    assert "health 9" in shown.stdout
    assert "\x1b" not in shown.stdout

    from openworld import registry
    from openworld.storage import replay
    from openworld.system import checksums

    # Of the classic world, whose step is compiled soonest.
    world = registry.make("OpenWorld-Classic-v0")
    path = replay.record(world, lambda carry, key, obs: (carry, 1), 0, 3).save(tmp_path / "a.replay")
    outputs = [f"--{kind}={tmp_path / name}" for kind, name in (("video", "a.gif"), ("picture", "a.png"))]
    done = run("replay", str(path), str(path), *outputs, f"--html={tmp_path / 'a.html'}", "--scale", "1")
    assert done.returncode == 0, done.stderr
    assert {"a.gif", "a.png", "a.html"} <= {file.name for file in tmp_path.iterdir()}
    assert "3 steps" in done.stdout
    assert "it plays as recorded" in done.stdout
    record = json.loads(path.read_text())
    path.write_text(json.dumps(checksums.added({**record, "digest": "0" * 32})))
    assert cli.main(["replay", str(path)]) == 2
    assert "does not play as it was recorded" in capsys.readouterr().err


@pytest.mark.slow
def test_a_classic_world_is_shown_by_its_own_rules(tmp_path, capsys):
    from openworld import registry
    from openworld.storage import replay

    world = registry.make("OpenWorld-Classic-v0")
    played = replay.record(world, lambda carry, key, obs: (carry, 1), 0, 3)
    commands.show(played, None, 1)
    assert "health 9  food 9  drink 9  energy 9  daylight" in capsys.readouterr().out
    commands.show(played, tmp_path / "a.png", 1)
    assert (tmp_path / "a.png").read_bytes()[16:24] == (144).to_bytes(4) + (160).to_bytes(4)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_refusal_cannot_steer_the_terminal(text, capsys):
    assert options.refuse(f"openworld: there is no {text}") == 2
    line = capsys.readouterr().err
    assert line.endswith("\n")
    assert line[:-1].isprintable()
    assert len(line) <= 2001
