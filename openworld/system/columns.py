"""Tables as plain text."""

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], left: int) -> list[str]:
    """Return a table as lines; each column is as wide as its widest cell.

    Args:
        rows: the cells.
        left: how many columns are flush left; the others are flush right.

    Example:
        >>> aligned([("worlds", "1"), ("steps", "300")], left=1)
        ['worlds    1', 'steps   300']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
