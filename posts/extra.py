"""What Python-Markdown's extras add to Markdown: the posts of Pelican and Nikola use them."""

import re
from collections.abc import MutableMapping
from html import escape
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt, helpers
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

ATTRIBUTES = re.compile(r"\{(:?)[ \t]*([#.][^{}\n]{0,200}|[\w-]+=[^{}\n]{0,200})\}$")
ABBREVIATION = re.compile(r"[ ]{0,3}\*\[([^\]\n]{1,100})\]:[ \t]*(.*)")
BESIDE = re.compile(r"\{:([^{}\n]{0,200})\}")
OPENING = re.compile(r"<(\w+)\b[^>\n]*\smarkdown=[\"']?(?:1|block|span)[\"']?[^>\n]*>")
MOST_NESTED = 8
# Python-Markdown takes spaces in an address, and these name tags, authors and files.
SPACED = re.compile(
    r"[{|](?:filename|static|attach|tag|category|author)[}|][^\s()<>\"']*(?: +[^\s()<>\"']+)+"
    r"(?=\)|\s+[\"'])"
)
# As MathJax is told to look for formulas: what is left of `\\(` when Python-Markdown was there.
FORMULA = re.compile(
    r"\\\\(?:\(((?:(?!\\\\\()[^`]){1,2000}?)\\\\\)|\[((?:(?!\\\\\[)[^`]){1,2000}?)\\\\\])"
)
ESCAPED = re.compile(r"\\([\\*_{}\[\]()>#+.!-])")


class Helpers:
    """markdown-it's helpers, of which the one that reads addresses takes SPACED too."""

    parseLinkLabel = staticmethod(helpers.parseLinkLabel)
    parseLinkTitle = staticmethod(helpers.parseLinkTitle)

    @staticmethod
    def parseLinkDestination(string: str, pos: int, maximum: int) -> Any:
        found = SPACED.match(string, pos, maximum)
        if not found:
            return helpers.parseLinkDestination(string, pos, maximum)
        result = helpers.parseLinkDestination(f"<{found[0]}>", 0, len(found[0]) + 2)
        result.pos = found.end()
        return result


def install(md: MarkdownIt) -> None:
    md.helpers = Helpers()  # type: ignore[assignment]  # a module, as the stubs know it
    md.inline.ruler.before("escape", "mathjax", read_formula)


def read_formula(state: StateInline, silent: bool) -> bool:
    r"""`\\(a^2\\)` and `\\[a^2\\]`."""
    found = FORMULA.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    if not silent:
        kind = "math_inline" if found[1] else "math_inline_double"
        state.push(kind, "math", 0).content = ESCAPED.sub(r"\1", found[1] or found[2])
    state.pos = found.end()
    return True


def apply(md: MarkdownIt, tokens: list[Token], env: MutableMapping[str, Any]) -> None:
    open_html(md, tokens, env.get("references", {}), MOST_NESTED)
    set_attributes(tokens)
    explain(tokens)


def open_html(md: MarkdownIt, tokens: list[Token], references: Any, depth: int) -> None:
    """Within `<div markdown="1">` there is Markdown."""
    for number in range(len(tokens) - 1, -1, -1):
        token = tokens[number]
        found = OPENING.match(token.content) if token.type == "html_block" else None
        if not found or not depth:
            continue
        inside, _, after = token.content[found.end() :].rpartition(f"</{found[1]}>")
        if not after.strip() and inside.strip():
            inner = md.parse(inside, {"references": references})
            open_html(md, inner, references, depth - 1)
            tokens[number : number + 1] = [
                make_html(f"{found[0]}\n"), *inner, make_html(f"</{found[1]}>\n")
            ]  # fmt: skip


def make_html(content: str) -> Token:
    return Token("html_block", "", 0, content=content, block=True)


def set_attributes(tokens: list[Token]) -> None:
    """`## Heading {#id}`, and `{: .class }` at the end of a paragraph."""
    for before, token in pairwise(tokens):
        if token.type != "inline" or not token.children:
            continue
        for image, text in pairwise(token.children):
            set_beside(image, text)
        last = token.children[-1]
        is_heading = before.type == "heading_open"
        found = ATTRIBUTES.search(last.content.rstrip()) if last.type == "text" else None
        if found and (is_heading or found[1]):
            last.content = last.content[: found.start()].rstrip()
            for word in found[2].split():
                set_attribute(before, word)


def set_beside(token: Token, text: Token) -> None:
    """`![](a.png){: .wide }` is about the picture; beside words it is only taken away."""
    found = BESIDE.match(text.content) if text.type == "text" else None
    if found and token.type in ("image", "link_close", "code_inline", "em_close", "strong_close"):
        text.content = text.content[found.end() :]
        for word in found[1].split() if token.type == "image" else ():
            set_attribute(token, word)


def set_attribute(token: Token, word: str) -> None:
    if word.startswith("#"):
        token.attrSet("id", word[1:])
    elif word.startswith("."):
        token.attrJoin("class", word[1:])
    elif word.startswith(("width=", "height=")):
        name, _, value = word.partition("=")
        token.attrSet(name, value.strip("\"'"))


def explain(tokens: list[Token]) -> None:
    """`*[HTML]: Hypertext Markup Language` says what HTML stands for wherever it is used."""
    meanings: dict[str, str] = {}
    for number in range(len(tokens) - 3, -1, -1):
        if tokens[number].type != "paragraph_open" or tokens[number].level:
            continue
        lines = tokens[number + 1].content.splitlines()
        found = [ABBREVIATION.fullmatch(line) for line in lines]
        if all(found):
            meanings.update({each[1]: each[2].strip() for each in found if each})
            del tokens[number : number + 3]
    if not meanings:
        return
    longest = sorted(meanings, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, longest))})(?!\w)")
    for token in tokens:
        if token.children and any(child.type == "text" for child in token.children):
            token.children = [
                part for child in token.children for part in mark(child, pattern, meanings)
            ]


def mark(child: Token, pattern: re.Pattern[str], meanings: dict[str, str]) -> list[Token]:
    if child.type != "text":
        return [child]
    parts: list[Token] = []
    for number, words in enumerate(pattern.split(child.content)):
        text = child.copy(content=words)
        if number % 2:
            opening = f'<abbr title="{escape(meanings[words])}">'
            parts += [make_inline(opening), text, make_inline("</abbr>")]
        elif words:
            parts.append(text)
    return parts


def make_inline(content: str) -> Token:
    return Token("html_inline", "", 0, content=content)
