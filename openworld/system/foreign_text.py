"""Make text from others harmless for a terminal, an HTML page or a Markdown page.

Names of agents, files, runs and players, and reasons sent over a socket, are foreign. They may hold escape
sequences that repaint a terminal, marks that reverse the order of reading, HTML, or Markdown that loads a
picture. Every place that shows such text passes it through one of these functions first.
"""

import base64
import hashlib
import html as _html
import re
import unicodedata
from urllib.parse import quote

#: The most characters that are shown of a text.
MAX_LENGTH = 200
#: Categories of Unicode that are not drawn, or change how their neighbours are drawn: control, format (with
#: the marks of reading order), surrogate, private use, unassigned, line and paragraph separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
#: The most marks of a letter. More marks could paint over other lines.
_MAX_MARKS = 4
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def plain(text: object, limit: int = MAX_LENGTH) -> str:
    r"""Return a text as one line without hidden characters, for a terminal, a log or an error message.

    Args:
        text: anything; `str` is applied to what is not a string.
        limit: characters after which the text is cut, with "..." in their place.

    Example:
        >>> plain("red \x1b[31m and\nnext")
        'red \\x1b[31m and next'
    """
    shown: list[str] = []
    marks = 0
    text = str(text)
    for letter in text[: limit + 1]:
        category = unicodedata.category(letter)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if letter in "\n\r\t" or category == "Zs":
            shown.append(" ")
        elif category in _HIDDEN or marks > _MAX_MARKS:
            shown.append(letter.encode("unicode_escape").decode("ascii"))
        else:
            shown.append(letter)
    line = "".join(shown)
    return line if len(text) <= limit and len(line) <= limit else line[: limit - 3] + "..."


def html(text: object, limit: int = MAX_LENGTH) -> str:
    """Return a text for the content of an HTML element, or for an attribute in quotation marks.

    Example:
        >>> html('<img src="x">')
        '&lt;img src=&quot;x&quot;&gt;'
    """
    return _html.escape(plain(text, limit), quote=True)


def markdown(text: object, limit: int = MAX_LENGTH) -> str:
    r"""Return a text for a line or a table cell of Markdown, where no part of it is HTML, a link or a picture.

    Every punctuation mark gets a backslash, which CommonMark (section 2.4) shows as the mark itself. `<`, `>`
    and `&` become entities, for programs that look for HTML first.

    Example:
        >>> markdown("![a](http://b) | <i>")
        '\\!\\[a\\]\\(http\\:\\/\\/b\\) \\| &lt;i&gt;'
    """
    entities = {"\\<": "&lt;", "\\>": "&gt;", "\\&": "&amp;"}
    escaped = _PUNCTUATION.sub(r"\\\1", plain(text, limit).strip())
    return re.sub(r"\\[<>&]", lambda found: entities[found[0]], escaped)


def link(path: object) -> str:
    """Return a relative path as the target of a link, in HTML or Markdown.

    Example:
        >>> link("a b/(c).json")
        'a%20b/%28c%29.json'
        >>> link("javascript:x")
        'javascript%3Ax'
    """
    # Two slashes at the start would name another host.
    return re.sub("^/+", "/", quote(str(path), safe="/._-", errors="surrogatepass"))


def policy(style: str, script: str = "") -> str:
    """Return the content security policy of a page that runs its own style and script and loads nothing.

    It has no double quotation mark, so that it may stand between two.

    It is the second defence: should foreign text ever become markup, that markup can do nothing.

    Args:
        style: what stands between `<style>` and `</style>`; attributes named "style" are not applied.
        script: what stands between `<script>` and `</script>`, if there is one.
    """
    rules = ["default-src 'none'", "img-src data:", f"style-src {_hash(style)}"]
    rules += [f"script-src {_hash(script)}"] if script else []
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
