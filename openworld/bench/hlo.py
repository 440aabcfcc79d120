"""What a compiled program's text tells of its kernels: which part of a step each belongs to."""

import collections
import re

from openworld.rules.order import PHASES

#: The named parts of a step, in order.
SCOPES = ("travel", *PHASES, "write", "close", "rare", "observe", "reset")
#: What is of none of them.
UNNAMED = "unnamed"

_COMPUTATION = re.compile(r"^(?:ENTRY )?%?([\w.\-]+) .*\{$")
_INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%?([\w.\-]+) = ")
_OP_NAME = re.compile(r'op_name="([^"]*)"')
_FUSED = re.compile(r"calls=%?([\w.\-]+)")
_RUN = re.compile(r"(?:body|condition|to_apply|true_computation|false_computation)=%?([\w.\-]+)")
_BRANCHES = re.compile(r"branch_computations=\{([^}]*)\}")


def op_names(text: str) -> dict[str, str]:
    """Return kernel -> the path of the traced operation that it stands for, "" where none is known.

    A kernel is named as its instruction, or as profilers name it: other signs than letters and digits made to `_`.
    One that the compiler made up goes by what most of it stands for, or by the loop or choice that it is part of.
    """
    paths: dict[str, str] = {}
    place: dict[str, str] = {}  # instruction -> the computation it is in
    fused: dict[str, str] = {}  # instruction -> the computation it is made of
    runs: dict[str, str] = {}  # computation -> the instruction that runs it
    inside: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    computation = ""
    for line in text.splitlines():
        if found := _COMPUTATION.match(line):
            computation = found[1]
        elif found := _INSTRUCTION.match(line):
            name, path = found[1], _OP_NAME.search(line)
            paths[name], place[name] = path[1] if path else "", computation
            if path:
                inside[computation][path[1]] += 1
            if calls := _FUSED.search(line):
                fused[name] = calls[1]
            branches = _BRANCHES.search(line)
            named = re.findall(r"[\w.\-]+", branches[1]) if branches else []
            runs.update(dict.fromkeys([*_RUN.findall(line), *named], name))

    def path_of(name: str, deep: int = 8) -> str:
        if paths[name] or not deep:
            return paths[name]
        if within := inside.get(fused.get(name, "")):
            return within.most_common(1)[0][0]
        around = runs.get(place[name])
        return path_of(around, deep - 1) if around else ""

    known = {name: path_of(name) for name in paths}
    return {re.sub(r"\W", "_", name): path for name, path in known.items()} | known


def scope_of(path: str) -> str:
    """Return the part of a step that a path of an operation names."""
    parts = re.split(r"[/()]", path)
    return next((part for part in parts if part in SCOPES), UNNAMED)
