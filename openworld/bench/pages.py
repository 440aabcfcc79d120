"""Tables of the pages about speed, in Markdown; tests hold the pages to them."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from openworld.bench import ledger
from openworld.bench.ledger import BYTE, SECTOR, Machine
from openworld.system.files import replacing

TOTAL = "**in all**"


def bytes_table(ids: Iterable[str]) -> str:
    """Return what moves: for each id the bytes as they are, and in sectors."""
    from openworld import registry

    ids = tuple(ids)
    sums: dict[tuple[str, str], list[int]] = {}
    for column, id in enumerate(ids):
        environment = registry.make(id)
        for place, grain in enumerate((BYTE, SECTOR), start=2 * column):
            moved = [(entry.part, entry.what, entry.bytes(grain)) for entry in ledger.entries(environment)]
            totals = ledger.least_bytes(environment, grain=grain)
            for part, what, size in (*moved, *((part, TOTAL, size) for part, size in totals.items())):
                sums.setdefault((part, what), [0] * 2 * len(ids))[place] += size
    parts = list(dict.fromkeys(part for part, _ in sums))
    parts = [part for part in parts if part != "rollout"] + ["rollout"]
    rows = sorted(sums, key=lambda row: (parts.index(row[0]), row[1] == TOTAL))
    head = ["part", "what", *(text for id in ids for text in (f"`{id}`", "in sectors"))]
    return table(head, [[*row, *(f"{size:,}" for size in sums[row])] for row in rows])


def operations_table(ids: Iterable[str]) -> str:
    """Return the operations by part."""
    from openworld import registry

    counts = {id: ledger.operations(registry.make(id)) for id in ids}
    parts = dict.fromkeys(part for each in counts.values() for part in each if part != "rollout")
    rows = [[part, *(f"{counts[id].get(part, 0):,}" for id in counts)] for part in (*parts, "rollout")]
    return table(["part", *(f"`{id}`" for id in counts)], rows)


def floors_table(
    ids: Iterable[str], machines: Sequence[Machine], measured: dict[tuple[str, str], float] | None = None
) -> str:
    """Return the limits of machines on steps per second, beside what was measured by (id, name of a machine)."""
    from openworld import registry

    rows = []
    for id in ids:
        environment = registry.make(id)
        for machine in machines:
            by_bytes = machine.bandwidth / ledger.least_bytes(environment, grain=machine.grain)["rollout"]
            by_work = machine.operations / ledger.operations(environment)["rollout"]
            speed = (measured or {}).get((id, machine.name))
            told = ["", ""] if speed is None else [f"{speed:,.0f}", f"{min(by_bytes, by_work) / speed:.1f}"]
            rows.append([f"`{id}`", machine.name, f"{by_bytes:,.0f}", f"{by_work:,.0f}", *told])
    return table(["id", "machine", "limit by bytes", "limit by operations", "measured", "times slower"], rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown; columns of numbers are set to the right."""
    rows = [list(row) for row in rows]
    right = [all(not row[i] or row[i].strip("$*")[0].isdigit() for row in rows) for i in range(len(head))]
    lines = [head, ["---:" if numbers else "---" for numbers in right], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def filled(page: str, tables: dict[str, str]) -> str:
    """Return a page's text with each named table between its marks, `<!-- table: name -->` and `<!-- end -->`."""
    for name, text in tables.items():
        marks = re.compile(rf"(<!-- table: {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
        if len(marks.findall(page)) != 1:
            raise ValueError(f"the page has no single place for the table {name!r}")
        page = marks.sub(lambda found, text=text: f"{found[1]}\n{text}\n\n{found[2]}", page)
    return page


def update(path: Path, tables: dict[str, str]) -> None:
    """Write tables into the page that shows them."""
    text = filled(path.read_text(), tables)
    with replacing(path) as aside:
        aside.write_text(text)
