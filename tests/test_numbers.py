"""Whole numbers on the command line."""

import pytest

from openworld import cli
from openworld.cli import limits, options
from openworld.system.numbers import number, whole_number, whole_or_other_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("-7", -7),
        ("4_096", 4096),
        ("4k", 4000),
        ("4K", 4000),
        ("1.5M", 1_500_000),
        ("2G", 2_000_000_000),
        ("1e6", 10**6),
        ("2.5e3", 2500),
        ("2000e-3", 2),
        ("2**20", 2**20),
        ("10^9", 10**9),
        (" 64 ", 64),
        ("1.0", 1),
        (str(2**63 - 1), 2**63 - 1),
    ],
)
def test_whole_numbers_are_read(text, number):
    assert whole_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "k",
        "many",
        "1.5",
        "1.0005k",
        "1e-3",
        "1e999",
        "2**9999",
        "9" * 500,
        "1k k",
        "0x10",
        "nan",
        "inf",
        "--",
        "True",
    ],
)
def test_other_texts_are_refused_in_one_line(text):
    with pytest.raises(ValueError, match="is not a whole number; write it as 4096, 4k, 1M") as caught:
        whole_number(text)
    assert len(str(caught.value)) < 160


def test_what_cannot_be_read_is_a_number_nowhere():
    with pytest.raises(ValueError, match=r"^'x' is not a number; write it as 0\.5 or 3e-4$"):
        number("x")
    assert [type(whole_or_other_number(text)) for text in ("4k", "0.5")] == [int, float]


def test_limits_and_options_read_the_same_numbers():
    assert options.number_of("--worlds", ["--worlds", "2**20"]) == 2**20
    limits.check("train", ["--worlds", "2**26", "--seed=2e9"])
    with pytest.raises(ValueError, match="--worlds must be 1 to 67108864, not 1G"):
        limits.check("train", ["--worlds", "1G"])


def test_every_command_reads_them(capsys):
    assert (
        cli.main(["plan", "--preset", "tiny", "--transitions", "1.6M", "--id", "OpenWorld-Classic-v0"]) == 0
    )
    assert "1600000 transitions" in capsys.readouterr().out.replace(",", "")
    assert cli.main(["plan", "--preset", "tiny", "--transitions", "1.00001k"]) == 2
    assert "'1.00001k' is not a whole number" in capsys.readouterr().err
    assert cli.main(["render", "--steps", "0.1k", "--seed", "half"]) == 2
    assert "'half' is not a whole number" in capsys.readouterr().err
    assert cli.main(["bench", "--sizes", "1k", "1.5"]) == 2
    assert "argument --worlds/--sizes: '1.5' is not a whole number" in capsys.readouterr().err
