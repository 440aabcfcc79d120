"""The README's examples run as they stand there."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_example_runs(number, lenient):
    # The same calls on fewer worlds, as many as other tests play: only the number is changed.
    exec(compile(EXAMPLES[number].replace("4096", "3"), f"README example {number}", "exec"), {})


def test_readme_has_examples():
    assert len(EXAMPLES) >= 3


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README.read_text()):
        assert "://" in target or (README.parent / target).exists(), target
