"""Tables in Markdown, and the pages that show them."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from openworld.system.files import replacing


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown; columns of numbers are aligned to the right.

    Example:
        >>> print(table(["part", "bytes"], [["step", "674"]]))
        | part | bytes |
        | --- | ---: |
        | step | 674 |
    """
    rows = [list(row) for row in rows]
    right = [all(not row[i] or row[i].strip("$*")[0].isdigit() for row in rows) for i in range(len(head))]
    lines = [head, ["---:" if numbers else "---" for numbers in right], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def filled(page: str, tables: dict[str, str]) -> str:
    """Return a page's text with new tables.

    Args:
        page: the text; each table stands between `<!-- table: name -->` and `<!-- end -->`.
        tables: name -> table.

    Raises:
        ValueError: the page does not have exactly one place for a table.
    """
    for name, text in tables.items():
        marks = re.compile(rf"(<!-- table: {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
        if len(marks.findall(page)) != 1:
            raise ValueError(f"the page has no single place for the table {name!r}")
        page = marks.sub(lambda found, text=text: f"{found[1]}\n{text}\n\n{found[2]}", page)
    return page


def update(path: Path, tables: dict[str, str]) -> None:
    """Write new tables into a page; see `filled`."""
    text = filled(path.read_text(), tables)
    with replacing(path) as aside:
        aside.write_text(text)
