"""Hostile strings stay text: in a terminal, in HTML and in Markdown. `HOSTILE` is used by other tests too."""

import doctest
import re
import unicodedata
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from openworld.system import foreign_text

#: Each would do something if it were shown as it is.
HOSTILE = (
    "<script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    "&lt;b&gt; &amp;lt;",
    "![x](http://example.org/x.png)",
    "[click](javascript:alert(1))",
    "<http://example.org>",
    "http://example.org www.example.org a@example.org",
    "a | b | c\n| --- | --- |",
    "`code` *bold* _it_ ~~no~~ # head",
    "\n\n# A heading\n\n- a list\n",
    "--> <!-- ]]>",
    "\x1b[2J\x1b]0;title\x07\x1b]8;;http://example.org\x07link",
    "\x9b31m\x08\x08\x7f\r overwritten",
    "\u202egnp.exe\u2066\u2069\u200b\ufeff\u061c",
    "\u2028line\u2029paragraph",
    "Z\u0301" + "\u0301" * 60,
    "\ud800 lone surrogate",
    "\x00 zero",
    "\\\\ back \\[ slash \\",
    "x" * 100_000,
    "",
)


class Tags(HTMLParser):
    """The elements of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.found += [tag, *(name for name, _ in attrs)]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", HOSTILE)
def test_a_terminal_gets_one_short_line_that_can_be_seen(text: str) -> None:
    line = foreign_text.plain(text)
    assert len(line) <= foreign_text.MAX_LENGTH
    line.encode("utf-8")  # no lone surrogate
    assert {unicodedata.category(letter) for letter in line} <= {
        *("Lu", "Ll", "Lo", "Lm", "Nd", "Zs", "Mn"),
        *("Po", "Ps", "Pe", "Pd", "Pc", "Sm", "Sk", "Sc", "So"),
    }
    assert not re.search("\u0301{6}", line)


@pytest.mark.parametrize("text", HOSTILE)
def test_html_stays_text(text: str) -> None:
    shown = foreign_text.html(text)
    page = Tags(f'<p title="{shown}">{shown}</p>')
    assert page.found == ["p", "title"]
    assert page.text == foreign_text.plain(text)
    assert Tags(f"<p title='{shown}'>").found == ["p", "title"]


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_stays_text(text: str) -> None:
    page = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    table = f"| a | b |\n| --- | --- |\n| {foreign_text.markdown(text)} | end |\n"
    tags = Tags(page.render(table))
    assert set(tags.found) == {"table", "thead", "tbody", "tr", "th", "td"}
    shown = tags.text.split()
    assert shown == ["a", "b", *foreign_text.plain(text).split(), "end"]
    assert set(Tags(page.render(foreign_text.markdown(text))).found) <= {"p"}


def test_a_link_stays_on_its_site() -> None:
    assert foreign_text.link("//example.org/x") == "/example.org/x"
    assert foreign_text.link("a)b](c") == "a%29b%5D%28c"
    assert ":" not in foreign_text.link("data:text/html,<b>")


def test_the_examples_are_true() -> None:
    assert doctest.testmod(foreign_text).failed == 0


def test_a_policy_lets_a_page_run_its_own_and_load_nothing() -> None:
    rules = foreign_text.policy("p { }").split("; ")
    assert rules[:2] == ["default-src 'none'", "img-src data:"]
    assert rules[2] == "style-src 'sha256-2H5CUCvyo5cSkj1YhUngR72ks13QrmBjgN+zz/lp2DY='"
    assert not any(rule.startswith("script-src") for rule in rules)
    assert any(rule.startswith("script-src 'sha256-") for rule in foreign_text.policy("", "x").split("; "))
    assert '"' not in foreign_text.policy("a", "b")
