"""Options and errors: how every command reads its arguments and reports a mistake."""

import contextlib
import importlib.util
import io
import sys
from pathlib import Path
from typing import Any, TypeVar

from openworld.system.foreign_text import plain
from openworld.system.installing import install_command

Options = TypeVar("Options")

#: Package -> the extra that installs it.
EXTRAS = {
    **dict.fromkeys(("optax", "orbax", "rich", "openworld_trainers"), "train"),
    **dict.fromkeys(("imageio", "imageio_ffmpeg"), "video"),
    "matplotlib": "plots",
    "pygame": "play",
    "pettingzoo": "pettingzoo",
    **dict.fromkeys(("stable_baselines3", "sb3_contrib"), "sb3"),
    "torch": "torch",
    "craftax": "oracle",
}

#: The longest error message, in characters.
_LINE = 2000
#: The exit code of a command whose output is not read any more: that of SIGPIPE, as in other tools.
READER_GONE = 141


def refuse(message: str) -> int:
    """Print an error in one line, without control characters, and return the exit code 2."""
    print(plain(" ".join(message.split()), _LINE), file=sys.stderr)
    return 2


def expected(error: Exception) -> bool:
    """Return whether the user can correct an error."""
    if isinstance(error, ValueError | OSError | ImportError):
        return True
    errors = sys.modules.get("openworld_trainers.errors")
    return errors is not None and isinstance(error, errors.TrainerError)


def message_of(error: Exception) -> str:
    """Return an error's message; for a missing package, how to install it."""
    package = (error.name or "").split(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if package in EXTRAS:
        return f"needs {package}, which is not installed: {install_command(EXTRAS[package])}"
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


def parse(options: type[Options], name: str, words: list[str], default: Options | None = None) -> Options:
    """Return a command's options; a mistake is reported in one line with the exit code 2.

    Args:
        options: a dataclass; its fields are the options, and its docstring is their help.
        name: of the command.
        words: the arguments after the command's name.
        default: the options to start from.
    """
    import tyro

    from openworld.system import numbers

    errors = io.StringIO()
    settings: dict[str, Any] = {} if default is None else {"default": default}
    try:
        with contextlib.redirect_stderr(errors):
            return tyro.cli(
                options, prog=f"openworld {name}", args=words, registry=numbers.registry(), **settings
            )
    except SystemExit as exit:
        if exit.code in (0, None):
            raise
        if not errors.getvalue():  # the help could not be written: the output is not read any more
            raise SystemExit(READER_GONE) from None
        # Frames are drawn with "-" where the output is ASCII.
        lines = [line.strip("│╭╮╰╯─ ") for line in errors.getvalue().splitlines()[1:]]
        lines = [line for line in lines if line.strip("-") and "full helptext" not in line]
        text = " ".join(lines).partition(" Argument helptext:")[0].removeprefix("Error parsing ")
        command = f"openworld {name}"
        raise SystemExit(refuse(f"{command}: {text or 'wrong options'}; see {command} --help")) from None


def require(*packages: str) -> None:
    """Raise `ModuleNotFoundError` if a package is not installed, before anything slow is done."""
    for name in packages:
        top = name.split(".", maxsplit=1)[0]
        if importlib.util.find_spec(top) is None:
            raise ModuleNotFoundError(f"No module named {top!r}", name=top)


def value_of(option: str, words: list[str]) -> str | None:
    """Return the text that follows an option; None if the option is not there. The last one counts."""
    found = None
    for i, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name.replace("_", "-") == option:
            found = value if equals else words[i + 1] if i + 1 < len(words) else None
    return found


def is_on(option: str, words: list[str]) -> bool:
    """Return whether an option without a value is on. The last of it and its --no form counts.

    Example:
        >>> is_on("--from-optimiser", ["--from_optimiser"]), is_on("--resume", ["--resume", "--no-resume"])
        (True, False)
    """
    given = [word.replace("_", "-") for word in words]
    forms = [word for word in given if word in (option, f"--no-{option.removeprefix('--')}")]
    return forms[-1:] == [option]


def run_to_resume(words: list[str]) -> str:
    """Return the folder of the run that `--resume` continues."""
    folder = value_of("--out", words)
    if folder is None:
        raise ValueError("--resume needs --out, the folder of the run to continue")
    return folder


def number_of(option: str, words: list[str]) -> int | None:
    """Return the whole number that follows an option; None if there is none, which the parser reports."""
    from openworld.system.numbers import whole_number

    try:
        return whole_number(value_of(option, words) or "")
    except ValueError:
        return None


def check_ending(path: Path | None, endings: tuple[str, ...], option: str = "--out") -> None:
    """Raise `ValueError` if a file name has none of the endings."""
    if path is not None and path.suffix.lower() not in endings:
        allowed = " or ".join(filter(None, (", ".join(endings[:-1]), endings[-1])))
        raise ValueError(f"{option} must end in {allowed}, not {path.name!r}")


def prepare() -> None:
    """Turn on the cache of compiled programs."""
    from openworld.system import cache

    cache.enable()
