"""Options and refusals: how every command reads its words, and how a mistake is told."""

import contextlib
import importlib.util
import io
import sys
from pathlib import Path
from typing import Any, TypeVar

from openworld.system.foreign_text import plain

Options = TypeVar("Options")

#: Package that is not installed -> the extra that brings it.
EXTRAS = {
    **dict.fromkeys(("optax", "orbax", "rich", "safetensors", "openworld_trainers"), "train"),
    **dict.fromkeys(("imageio", "imageio_ffmpeg"), "video"),
    "matplotlib": "plots",
    "pygame": "play",
    "pettingzoo": "pettingzoo",
    **dict.fromkeys(("stable_baselines3", "sb3_contrib"), "sb3"),
    "torch": "torch",
}

#: Characters of a refusal.
_LINE = 2000
#: The exit code of a command whose output nobody reads any more: that of SIGPIPE, as other tools have it.
READER_GONE = 141


def refuse(message: str) -> int:
    """Say in one line what is wrong. Names in it, of files or of others' making, do nothing to a terminal."""
    print(plain(" ".join(message.split()), _LINE), file=sys.stderr)
    return 2


def expected(error: Exception) -> bool:
    """Whether an error is one that the user can put right."""
    if isinstance(error, ValueError | OSError | ImportError):
        return True
    errors = sys.modules.get("openworld_trainers.errors")
    return errors is not None and isinstance(error, errors.TrainerError)


def told(error: Exception) -> str:
    """Return an error's message; of a package that is missing, how to install it."""
    package = (error.name or "").split(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if package in EXTRAS:
        return f"needs {package}, which is not installed: pip install 'openworld[{EXTRAS[package]}]'"
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


def parse(options: type[Options], name: str, words: list[str], default: Options | None = None) -> Options:
    """Read a command's options; a mistake among them is told in one line."""
    import tyro

    heard = io.StringIO()
    settings: dict[str, Any] = {} if default is None else {"default": default}
    try:
        with contextlib.redirect_stderr(heard):
            return tyro.cli(options, prog=f"openworld {name}", args=words, **settings)
    except SystemExit as exit:
        if exit.code in (0, None):
            raise
        if not heard.getvalue():  # the help could not be written: rich ends like this where nobody reads
            raise SystemExit(READER_GONE) from None
        lines = [line.strip("│╭╮╰╯─ ") for line in heard.getvalue().splitlines()[1:]]
        text = " ".join(line for line in lines if line and "full helptext" not in line)
        command = f"openworld {name}"
        raise SystemExit(refuse(f"{command}: {text or 'wrong options'}; see {command} --help")) from None


def require(*packages: str) -> None:
    """Refuse to begin where a package is missing, before anything slow is done."""
    for name in packages:
        top = name.split(".", maxsplit=1)[0]
        if importlib.util.find_spec(top) is None:
            raise ModuleNotFoundError(f"No module named {top!r}", name=top)


def value_of(option: str, words: list[str]) -> str | None:
    """Return the value that follows an option, if it is there."""
    for i, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name.replace("_", "-") == option:
            return value if equals else words[i + 1] if i + 1 < len(words) else None
    return None


def number_of(option: str, words: list[str]) -> int | None:
    """Return the whole number that follows an option; what is none is left for the parser to refuse."""
    try:
        return int(value_of(option, words) or "")
    except ValueError:
        return None


def check_ending(path: Path | None, endings: tuple[str, ...], option: str = "--out") -> None:
    """Refuse a file name of another kind."""
    if path is not None and path.suffix.lower() not in endings:
        told = " or ".join(filter(None, (", ".join(endings[:-1]), endings[-1])))
        raise ValueError(f"{option} must end in {told}, not {path.name!r}")


def prepare() -> None:
    """Turn the cache of compiled programs on."""
    from openworld.system import cache

    cache.enable()
