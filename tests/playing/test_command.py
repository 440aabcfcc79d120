"""`openworld play` refuses mistakes in one line, before anything slow."""

import pytest

from openworld import cli


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--terminal"], "--terminal needs a terminal; the input or the output is not one"),
        (["--id", "OpenWorld-v9"], "unknown environment id 'OpenWorld-v9'; did you mean OpenWorld-v0"),
        (["--host", "x", "--terminal"], "OpenWorld-v0 is for one player; --host needs OpenWorld-Coop-v0"),
        (["--host", "x", "--join", "y"], "give one of them"),
        (["--join", "x", "--seed", "3"], "leave them out with --join"),
        (["--seed", "-1"], "--seed must be 0 to 9223372036854775807, not -1"),
    ],
)
def test_mistakes_are_reported_in_one_line(words, message, capsys):
    assert cli.main(["play", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
