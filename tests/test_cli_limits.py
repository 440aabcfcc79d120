"""No number given to a command is a traceback or an allocation, and no closed pipe is a complaint."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
import types
import typing
from pathlib import Path

import pytest

from openworld import cli
from openworld.bench.suites import Settings
from openworld.cli import limits

ROOT = Path(__file__).parent.parent
#: Beyond every limit of whole numbers, and what is no finite number.
HUGE = str(10**30)
NO_NUMBER = ("nan", "NaN", "inf", "-inf", "1e999", "-1e999", "9" * 5000)


def numbers_of(record: type, before: str = "") -> list[tuple[str, type]]:
    """The options of a command that take a number: their names as they are typed, and int or float."""
    found = []
    for name, kind in typing.get_type_hints(record, include_extras=True).items():
        if typing.get_origin(kind) is typing.Annotated and dataclasses.is_dataclass(kind.__origin__):
            found += numbers_of(kind.__origin__)  # whose own fields have no name before them
        elif dataclasses.is_dataclass(kind):
            found += numbers_of(kind, f"{before}{name}.")
        else:
            whole = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
            found += [(f"{before}{name}".replace("_", "-"), part) for part in whole if part in (int, float)]
    return found


def options_of(command: str, monkeypatch) -> type:
    """The record that a command's options are read into."""
    tyro = pytest.importorskip("tyro")
    seen: list[type] = []

    def look(record, **_):
        seen.append(record)
        raise SystemExit(0)

    monkeypatch.setattr(tyro, "cli", look)
    assert cli.main([command]) == 0
    return seen[0]


#: `bench` reads its options with argparse; Stable-Baselines3 takes seconds to import.
COMMANDS = [
    pytest.param(name, marks=[pytest.mark.slow] * (name == "train-sb3"))
    for name in cli.COMMANDS
    if name != "bench"
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_number_has_limits(command, monkeypatch):
    if command == "train-sb3":
        pytest.importorskip("stable_baselines3")
    for name, kind in numbers_of(options_of(command, monkeypatch)):
        assert limits.limits_of(command, name) is not None, (
            f"{command} --{name}: give it a row in cli/limits.py"
        )
        for value in (*NO_NUMBER, *((HUGE, f"-{HUGE}") if kind is int else ())):
            with pytest.raises(ValueError, match=f"^--{name} must be ") as error:
                limits.check(command, [f"--{name}", value])
            assert len(str(error.value)) < 160
            with pytest.raises(ValueError, match="must be"):
                limits.check(command, [f"--{name.replace('-', '_')}={value}"])


def test_the_options_are_found(monkeypatch):
    found = numbers_of(options_of("plan", monkeypatch))
    assert {("worlds", int), ("rollout.worlds", int), ("run.time-budget-s", float)} <= set(found)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("render --scale 100000", "render: --scale must be 1 to 32, not 100000"),
        ("render --tile 65 --map --out a.png", "render: --tile must be 1 to 64, not 65"),
        (f"render --seed {HUGE}", "--seed must be 0 to 9223372036854775807, not 1000"),
        ("render --seed=-1", "--seed must be 0 to"),
        ("describe --steps -1", "describe: --steps must be 0 to 2147483647, not -1"),
        ("plan --worlds 1000000000000000", "plan: --worlds must be 1 to 67108864, not 1000000000000000"),
        ("plan --rollout.worlds 1000000000000000", "--rollout.worlds must be 1 to 67108864"),
        (f"plan --memory {'9' * 400}GiB", "is more memory than a device can have"),
        ("train --worlds 0", "--worlds must be 1 to"),
        ("train --learning.learning-rate nan", "--learning.learning-rate must be a finite number, not nan"),
        ("train --advantage.gamma inf", "--advantage.gamma must be 0 to 1, not inf"),
        ("train --run.time_budget_s 1e300", "--run.time_budget_s must be 0 to 1000000000, not 1e300"),
        ("train --run.transitions 1.5", "1.5"),
        ("train --env.time-limit 2147483648", "--env.time-limit must be 1 to 2147483647, not 2147483648"),
        ("train --env.time-limit 1.5", "1.5"),
        ("train --env.time-limit True", "True"),
        ("evaluate --agent random --episodes 0", "--episodes must be 1 to"),
        ("evaluate --agent random --worlds -3", "--worlds must be 1 to"),
        ("replay a --speed nan", "--speed must be 0.1 to 1000000, not nan"),
        ("replay a --episode -1", "--episode must be 0 to"),
        ("play --scale 0", "play: --scale must be 1 to 6, not 0"),
        ("play --players 9", "--players must be 2 to 8, not 9"),
        ("play --patience inf", "--patience must be 0.1 to 3600, not inf"),
        ("bench --sizes 64 1000000000000000", "a batch size must be 1 to 67108864, not 1000000000000000"),
        ("bench --sizes 0", "a batch size must be 1 to 67108864, not 0"),
        ("bench --seconds nan", "seconds must be 0.001 to 1000000, not nan"),
        ("bench --seconds abc", "argument --seconds: invalid float value: 'abc'; see openworld bench --help"),
        ("bench --budget-seconds inf", "budget seconds must be 0 to 1000000, not inf"),
        ("bench --runs -1", "runs must be 1 to 1000000, not -1"),
        ("bench --warm-up -1", "warm-up must be 0 to 1000000, not -1"),
    ],
)
def test_a_number_out_of_range_is_refused_in_one_line(words, told, capsys):
    assert cli.main(words.split()) == 2
    output = capsys.readouterr()
    assert told in output.err
    assert output.err.count("\n") == 1
    assert output.out == ""


@pytest.mark.slow
def test_a_rollout_of_stable_baselines_fits_in_memory(capsys):
    pytest.importorskip("stable_baselines3")
    assert cli.main(["train-sb3", "--worlds", "1048576", "--steps", "1048576"]) == 2
    assert "worlds x steps = 1099511627776 is more than the 67108864" in capsys.readouterr().err


def test_the_largest_numbers_are_taken():
    limits.check("render", ["--seed", str(2**63 - 1), "--scale", "32", "--steps", "0"])
    limits.check("train", ["--run.seed", str(2**31 - 1), "--learning.learning-rate", "1e-4"])
    limits.check("evaluate", ["--name", "nan", "--worlds"])


def test_what_is_no_number_is_left_for_the_parser(capsys):
    assert cli.main(["render", "--steps", "many"]) == 2
    assert "many" in capsys.readouterr().err


def test_names_do_nothing_to_the_terminal(capsys):
    assert cli.main(["replay", "/nowhere/\x1b[2J\u202e.replay"]) == 2
    assert capsys.readouterr().err == (
        "openworld replay: /nowhere/\\x1b[2J\\u202e.replay: No such file or directory\n"
    )


def test_too_little_memory_is_told(monkeypatch, capsys):
    def hungry(_):
        raise MemoryError

    monkeypatch.setitem(cli.COMMANDS, "info", cli.Command("", hungry))
    assert cli.main(["info"]) == 2
    assert capsys.readouterr().err == "openworld info: too little memory\n"


def test_bench_settings_are_checked_without_the_command_line():
    with pytest.raises(ValueError, match=r"seconds must be 0\.001 to 1000000, not nan"):
        Settings(seconds=float("nan"))


def unread(*words: str, both: bool = False) -> tuple[int, str]:
    """The exit code and the complaints of a command whose output nobody reads (and its complaints neither)."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "openworld", *words],
        cwd=ROOT,
        stdout=writer,
        stderr=writer if both else subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    return done.returncode, done.stderr or ""


@pytest.mark.parametrize("words", [["--help"], [], ["--version"], ["render", "--help"], ["train", "--help"]])
def test_an_output_that_nobody_reads_is_no_complaint(words):
    assert unread(*words) == (cli.READER_GONE, "")


def test_nor_are_complaints_that_nobody_reads():
    assert unread("xyz", both=True)[0] == cli.READER_GONE
    code, told = unread("bench", "--help")  # argparse ends by itself
    assert (code in (0, cli.READER_GONE), told) == (True, "")


def test_another_programs_pipe_is_a_complaint(monkeypatch, capsys):
    def broken(_):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setitem(cli.COMMANDS, "info", cli.Command("", broken))
    assert cli.main(["info"]) == 2
    assert capsys.readouterr().err == "openworld info: [Errno 32] Broken pipe\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_is_told_in_one_line():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "openworld", "--help"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == "openworld: the output cannot be written: [Errno 28] No space left on device\n"


def test_a_closed_output_is_nothing_to_write_to(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    assert cli.main(["--help"]) == 0
    sys.stdout.close()


def test_an_interruption_is_one_line():
    code = "import time; from openworld import cli; "
    code += "cli.COMMANDS['info'] = cli.Command('', lambda _: print('ready', flush=True) or time.sleep(60)); "
    code += "raise SystemExit(cli.main(['info']))"
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert (process.returncode, told) == (130, "openworld info: interrupted\n")
