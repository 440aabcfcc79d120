"""The observation's reference page is today's layout."""

from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "observation.md"


def test_every_field_stands_in_the_reference_page():
    from openworld.observe.tokens import LAYOUT

    text = PAGE.read_text()
    for field in LAYOUT.values():
        row = f"| {field.name} | {field.offset} | {field.size} | {field.high} | {field.meaning} |"
        assert row in text, f"docs/reference/observation.md lacks the row: {row}"
    assert text.count("\n| ") == len(LAYOUT) + 2
    assert f"{LAYOUT.size} tokens" in text
