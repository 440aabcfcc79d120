"""The kernels of a compiled program, by the part of a step that each belongs to."""

import collections
import re

from openworld.rules.order import PHASES

#: The named parts of a step, in order.
SCOPES = ("travel", *PHASES, "write", "close", "rare", "observe", "reset")
#: The part of kernels that belong to none of them.
UNNAMED = "unnamed"

_COMPUTATION = re.compile(r"^(?:ENTRY )?%?([\w.\-]+) .*\{$")
_INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%?([\w.\-]+) = ")
_OP_NAME = re.compile(r'op_name="([^"]*)"')
_FUSED = re.compile(r"calls=%?([\w.\-]+)")
_RUN = re.compile(r"(?:body|condition|to_apply|true_computation|false_computation)=%?([\w.\-]+)")
_BRANCHES = re.compile(r"branch_computations=\{([^}]*)\}")


def op_names(text: str) -> dict[str, str]:
    """Return kernel -> path of its traced operation, or "" where that is unknown.

    Each kernel is there under the name of its instruction, and under the name that profilers give it, with `_`
    for every character but letters and digits. A kernel that the compiler made has the most frequent path of
    its instructions, or the path of the loop or conditional around it.
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
    """Return the part of a step in the path of an operation.

    Example:
        >>> scope_of("jit(play)/vmap(observe)/add")
        'observe'
    """
    parts = re.split(r"[/()]", path)
    return next((part for part in parts if part in SCOPES), UNNAMED)
