"""Code with colours, as HTML with classes: one way for reStructuredText and Markdown."""

import re
from html import escape

from pygments import highlight as run_pygments
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

# Some lexers take seconds for what nobody would read with colours either.
MAX_CHARACTERS = 60_000


def highlight(
    code: str, language: str = "", *, first_line: int | None = None, emphasized: str = ""
) -> str:
    """`<div class="highlight"><pre>...`; an unknown language is shown without colours.

    `first_line` numbers the lines; `emphasized` names some of them: "1,3-5", counted from 1.
    """
    lexer = find_lexer(language) if len(code) <= MAX_CHARACTERS else None
    if lexer is None:
        return f'<div class="highlight"><pre><code>{escape(code)}</code></pre></div>'
    formatter = HtmlFormatter(
        cssclass="highlight",
        wrapcode=True,
        linenos="inline" if first_line is not None else False,
        linenostart=first_line or 1,
        hl_lines=parse_lines(emphasized),
    )
    return run_pygments(code, lexer, formatter)


def find_lexer(language: str) -> Lexer | None:
    """Without a language only numbered and emphasised lines need a lexer: the one for text."""
    try:
        return get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound:
        return get_lexer_by_name("text", stripnl=False)


def parse_lines(text: str) -> list[int]:
    """ "1,3-5" is 1, 3, 4, 5; what is no number is passed over."""
    lines: list[int] = []
    for part in re.split(r"[,\s]+", text):
        found = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", part)
        if found:
            lines.extend(range(int(found[1]), int(found[2] or found[1]) + 1))
    return lines
