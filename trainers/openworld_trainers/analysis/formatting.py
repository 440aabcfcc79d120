"""Numbers, durations and verdicts as text, for the progress display and the report."""

import math

from openworld_trainers.analysis.trend import Verdict


def format_number(value: float | None, digits: int = 2) -> str:
    """Return a number with that many decimals, or "-" where it is missing or NaN.

    Example:
        >>> format_number(0.5), format_number(None)
        ('0.50', '-')
    """
    return "-" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def format_small(value: float | None) -> str:
    """Return a number with two significant figures, or "-" where it is missing or NaN.

    Example:
        >>> format_small(0.00321)
        '0.0032'
    """
    return "-" if value is None or math.isnan(value) else f"{value:.2g}"


def format_percent(value: float | None) -> str:
    """Return a share between 0 and 1 in percent, or "-" where it is missing or not finite.

    Example:
        >>> format_percent(0.25)
        '25.0 %'
    """
    return f"{100 * value:.1f} %" if value is not None and math.isfinite(value) else "-"


def format_short(value: int | float | None, figures: int = 3) -> str:
    """Return a large number with a letter for its size.

    Example:
        >>> format_short(1234567)
        '1.23M'
    """
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "many"
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.{figures}g}{letter}"
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.{figures}g}"


def format_duration(seconds: int | float) -> str:
    """Return seconds as m:ss or h:mm:ss, or "-" where they are NaN or infinite.

    Example:
        >>> format_duration(3725)
        '1:02:05'
    """
    if math.isnan(seconds) or seconds == math.inf:
        return "-"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def format_verdict(verdict: Verdict) -> list[str]:
    """Return a verdict and its advice, line by line.

    Example:
        >>> format_verdict(Verdict("flat", gain=0.1, low=-0.1, high=0.3, transitions=10**6, rows=50))
        ['flat: return +0.1 [-0.1, +0.3] over the last 1 M transitions']
    """
    lines = [verdict.sentence()]
    if verdict.advice:
        lines += [verdict.advice.reason]
        lines += [f"{'or' if index else 'try'} {way}" for index, way in enumerate(verdict.advice.ways)]
        lines += [f"note: {sign}" for sign in verdict.advice.signs]
    return lines
