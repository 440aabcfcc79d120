"""What `openworld play` refuses, in one line and before anything slow."""

import pytest

from openworld import cli


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--terminal"], "--terminal needs a terminal to type in, and this is none"),
        (["--id", "OpenWorld-v9"], "unknown world id 'OpenWorld-v9'; did you mean OpenWorld-v0"),
        (["--host", "x", "--terminal"], "OpenWorld-v0 is for one player; --host needs OpenWorld-Coop-v0"),
        (["--host", "x", "--join", "y"], "give one of them"),
        (["--join", "x", "--seed", "3"], "--join takes neither"),
        (["--seed", "-1"], "--seed must be 0 to 9223372036854775807, not -1"),
    ],
)
def test_mistakes_are_told_in_one_line(words, told, capsys):
    assert cli.main(["play", *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
