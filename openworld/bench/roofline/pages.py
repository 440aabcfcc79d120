"""The tables of the page about performance, in Markdown; a test compares the page with them."""

from collections.abc import Iterable, Sequence

from openworld import registry
from openworld.bench.markdown import table
from openworld.bench.roofline import model
from openworld.bench.roofline.model import BYTE, SECTOR, Machine

TOTAL = "**in all**"


def bytes_table(ids: Iterable[str]) -> str:
    """Return the least bytes by part: for each id as they are, and in sectors."""
    ids = tuple(ids)
    sums: dict[tuple[str, str], list[int]] = {}
    for column, id in enumerate(ids):
        env = registry.make(id)
        for place, grain in enumerate((BYTE, SECTOR), start=2 * column):
            moved = [(entry.part, entry.what, entry.bytes(grain)) for entry in model.entries(env)]
            totals = model.least_bytes(env, grain=grain)
            for part, what, size in (*moved, *((part, TOTAL, size) for part, size in totals.items())):
                sums.setdefault((part, what), [0] * 2 * len(ids))[place] += size
    parts = list(dict.fromkeys(part for part, _ in sums))
    parts = [part for part in parts if part != "rollout"] + ["rollout"]
    rows = sorted(sums, key=lambda row: (parts.index(row[0]), row[1] == TOTAL))
    head = ["part", "what", *(text for id in ids for text in (f"`{id}`", "in sectors"))]
    return table(head, [[*row, *(f"{size:,}" for size in sums[row])] for row in rows])


def operations_table(ids: Iterable[str]) -> str:
    """Return the operations by part."""
    counts = {id: model.operations(registry.make(id)) for id in ids}
    parts = dict.fromkeys(part for each in counts.values() for part in each if part != "rollout")
    rows = [[part, *(f"{counts[id].get(part, 0):,}" for id in counts)] for part in (*parts, "rollout")]
    return table(["part", *(f"`{id}`" for id in counts)], rows)


def limits_table(
    ids: Iterable[str], machines: Sequence[Machine], measured: dict[tuple[str, str], float] | None = None
) -> str:
    """Return the limits of machines in steps per second.

    Args:
        ids: environment ids.
        machines: the machines.
        measured: (id, name of a machine) -> measured steps per second, shown beside the limits.
    """
    rows = []
    for id in ids:
        env = registry.make(id)
        for machine in machines:
            limits = model.limits(env, machine)
            speed = (measured or {}).get((id, machine.name))
            cells = ["", ""] if speed is None else [f"{speed:,.0f}", f"{min(limits) / speed:.1f}"]
            rows.append([f"`{id}`", machine.name, *(f"{limit:,.0f}" for limit in limits), *cells])
    return table(["id", "machine", "limit by bytes", "limit by operations", "measured", "times slower"], rows)
