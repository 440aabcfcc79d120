"""The help of command lines: plain names for values, and in words what leaving an option out means.

A dataclass's docstring is the help of its options. Its words after "None:" say what leaving an option out
means, so the help shows them as the default.
"""

import dataclasses
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

#: What the help calls a value of each type.
NAMES = {int: "INT", float: "FLOAT", Path: "PATH", str: "NAME"}
_LEFT_OUT = re.compile(r"[;.] None: (.+?)(?:\.(?= |$)|$)")
_ATTRIBUTE = re.compile(r"(\w+): (.*)")


@dataclasses.dataclass(frozen=True)
class Alias:
    """A second name of an option; a mark in `Annotated`, for settings that are read without a command line too.

    Attributes:
        name: with its dashes.

    Example:
        >>> get_args(Annotated[int, Alias("--seed")])[1].name
        '--seed'
    """

    name: str


def attributes_of(docstring: str) -> dict[str, str]:
    r"""Return the texts of the section `Attributes:` of a docstring, each in one line.

    Example:
        >>> attributes_of("A video.\n\nAttributes:\n    out: the file;\n        None: text.\n    speed: of it.")
        {'out': 'the file; None: text.', 'speed': 'of it.'}
    """
    found: dict[str, str] = {}
    name = ""
    _, _, section = inspect.cleandoc(docstring).partition("Attributes:\n")
    for line in section.partition("\n\n")[0].splitlines():
        begun = _ATTRIBUTE.fullmatch(line.removeprefix("    "))
        if begun and not line.startswith("     "):
            name = begun[1]
            found[name] = begun[2]
        elif name:
            found[name] = f"{found[name]} {line.strip()}"
    return found


def left_out(text: str) -> tuple[str, str]:
    """Return an option's text without its words after "None:", and these words.

    Example:
        >>> left_out("seconds of training; None: no limit. Compiling does not count.")
        ('seconds of training. Compiling does not count.', 'no limit')
        >>> left_out("number of the world.")
        ('number of the world.', '')
    """
    found = _LEFT_OUT.search(text)
    if found is None:
        return text, ""
    return f"{text[: found.start()]}.{text[found.end() :]}", found[1]


def metavar_of(annotation: Any) -> str | None:
    """Return what the help calls a value of a type; None for switches and records.

    Example:
        >>> [metavar_of(record) for record in (float, int | None, tuple[Path, ...], Literal["a", "b"], bool)]
        ['FLOAT', 'INT', 'PATH...', '{a,b}', None]
    """
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return metavar_of(parts[0])
    if origin in (Union, UnionType):
        return next((metavar_of(part) for part in parts if part is not NoneType), None)
    if origin is Literal:
        return f"{{{','.join(map(str, parts))}}}"
    if origin is tuple:
        return f"{metavar_of(parts[0])}..."
    return NAMES.get(annotation)


def hint_of(meaning: str) -> Callable[[str], str]:
    """Return the function that makes the end of an option's help from its default.

    Args:
        meaning: of leaving the option out, where its default is None.

    Example:
        >>> hint_of("no limit")("None"), hint_of("no limit")("210.0"), hint_of("")("3")
        ('(default: no limit)', '(default: 210.0; None: no limit)', '(default: 3)')
    """

    def hint(default: str) -> str:
        if default in ("None", ""):
            return f"(default: {meaning or 'nothing'})"
        return f"(default: {default}; None: {meaning})" if meaning else f"(default: {default})"

    return hint


def add_rule(registry: Any) -> None:
    """Add to a registry of Tyro the rule that reads the options of a dataclass."""
    from tyro import MISSING_NONPROP
    from tyro.conf import Positional, arg
    from tyro.constructors import StructConstructorSpec, StructFieldSpec, StructTypeInfo

    def field_of(field: dataclasses.Field, hint: Any, text: str, default: Any) -> StructFieldSpec:
        text, meaning = left_out(text)
        metavar, required = metavar_of(hint), default is MISSING_NONPROP
        aliases = [mark.name for mark in get_args(hint) if isinstance(mark, Alias)]
        if metavar is not None:
            if Positional in get_args(hint) and not required:
                metavar = f"[{metavar}]"
            shown = "(required)" if required else hint_of(meaning)
            hint = Annotated[hint, arg(metavar=metavar, help_behavior_hint=shown, aliases=aliases or None)]
        return StructFieldSpec(name=field.name, type=hint, default=default, helptext=text or None)

    @registry.struct_rule
    def _(info: StructTypeInfo) -> StructConstructorSpec | None:
        record: Any = info.type
        if not (isinstance(record, type) and dataclasses.is_dataclass(record)):
            return None
        texts, hints = attributes_of(record.__doc__ or ""), get_type_hints(record, include_extras=True)
        fields = []
        for field in dataclasses.fields(record):
            if isinstance(info.default, record):
                default = getattr(info.default, field.name)
            elif field.default is not dataclasses.MISSING:
                default = field.default
            elif field.default_factory is not dataclasses.MISSING:
                default = field.default_factory()
            else:
                default = MISSING_NONPROP
            fields.append(field_of(field, hints[field.name], texts.get(field.name, ""), default))
        return StructConstructorSpec(instantiate=record, fields=tuple(fields))
