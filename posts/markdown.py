"""Markdown to HTML: CommonMark with what blogs add to it."""

import re
from collections.abc import MutableMapping, Sequence
from functools import cache, lru_cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.parser_block import ParserBlock
from markdown_it.parser_inline import ParserInline, RuleFuncInlineType
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.admon import admon_plugin
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.attrs import attrs_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.gfm_autolink import gfm_autolink_plugin
from mdit_py_plugins.gfm_autolink.index import _email_rule, _protocol_rule, _www_inline_rule

from posts import extra, formula
from posts.document import Document
from posts.highlight import highlight
from posts.problems import Problem

# Where words are not parted by spaces: Han, Kana, Hangul, their punctuation and full-width forms.
EAST_ASIAN = re.compile(
    "[\u1100-\u11ff\u2e80-\u303f\u3040-\u33ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003134f“”‘’…—·]"
)
CHINESE_MARKS = (
    "\u3000-\u303f\ufe30-\ufe4f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65“”‘’…—·"
)
# Before a bare address, and after one or after its host, such text needs no space.
AROUND_ADDRESS = re.compile(
    f"{EAST_ASIAN.pattern}(?=https?://|www\\.|[A-Za-z\\d.+_-]{{1,64}}@)|[{CHINESE_MARKS}]"
)
AFTER_HOST = re.compile(
    r"((?:https?://|www\.)[A-Za-z\d.-]{1,200}\.[A-Za-z]{2,20})" + EAST_ASIAN.pattern
)
FENCE_OPTIONS = re.compile(
    r"(hl_lines|linenostart|linenos|linenums|emphasize-lines)(?!\s*=\s*[\"']?(?i:false|none))"
    r"\s*=?\s*[\"'\[]*([\d,\s\"'-]*)"
)

# Python's own limit comes at about twice as many. A list within a list counts as two.
MOST_NESTED = 200


class InlineState(StateInline):
    """Lets emphasis begin and end beside Chinese, Japanese and Korean text.

    CommonMark decides by white space and punctuation around the stars; in `**粗体。**字` it finds
    no end. Text in these scripts counts as a boundary of words here.
    """

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:
        end = start
        while end < self.posMax and self.src[end] == self.src[start]:
            end += 1
        before = self.src[start - 1] if start > 0 else " "
        after = self.src[end] if end < self.posMax else " "
        opens = is_flanking(before, after)
        closes = is_flanking(after, before)
        if not canSplitWord:
            opens, closes = (
                opens and (not closes or is_punctuation(before)),
                closes and (not opens or is_punctuation(after)),
            )
        return Scanned(opens, closes, end - start)


def is_flanking(outer: str, inner: str) -> bool:
    """Whether a run of stars between these characters may open (or, mirrored, close) emphasis."""
    if isWhiteSpace(ord(inner)):
        return False
    if not is_punctuation(inner):
        return True
    return bool(isWhiteSpace(ord(outer)) or is_punctuation(outer) or EAST_ASIAN.match(outer)
                or EAST_ASIAN.match(inner))  # fmt: skip


def is_punctuation(character: str) -> bool:
    return isMdAsciiPunct(ord(character)) or isPunctChar(character)


def beside_chinese(sign: str, rule: RuleFuncInlineType) -> RuleFuncInlineType:
    """The rule for bare addresses, shown a space wherever Chinese does without one.

    Every character keeps its place. `sign` is what the rule looks for at its position.
    """

    def parted(state: StateInline, silent: bool) -> bool:
        if silent or not state.src.startswith(sign, state.pos):
            return False
        if sign == ":" and not state.pending.endswith(("http", "https", "mailto", "xmpp")):
            return False  # which the rule itself would find out slowly
        written = state.src
        state.src = part_addresses(written)
        if sign == "www." and state.pending and state.src[state.pos - 1] == " ":
            state.pushPending()
        try:
            return rule(state, silent)
        finally:
            state.src = written

    return parted


@lru_cache(maxsize=2)
def part_addresses(text: str) -> str:
    return AFTER_HOST.sub(r"\1 ", AROUND_ADDRESS.sub(" ", text))


class BlockParser(ParserBlock):
    """Says so where markdown-it's own would leave out what is nested deeper than MOST_NESTED."""

    def tokenize(self, state: StateBlock, startLine: int, endLine: int) -> None:
        if state.level >= MOST_NESTED:
            raise RecursionError
        super().tokenize(state, startLine, endLine)


class InlineParser(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        state = InlineState(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


@cache
def parser() -> MarkdownIt:
    md = MarkdownIt()
    md.block, md.inline = BlockParser(), InlineParser()
    md.configure("commonmark", {"maxNesting": MOST_NESTED})
    md.enable(["table", "strikethrough"])
    md.use(gfm_autolink_plugin).use(footnote_plugin).use(deflist_plugin).use(admon_plugin)
    md.inline.ruler.at("gfm_autolink_www", beside_chinese("www.", _www_inline_rule))
    md.inline.ruler.at("gfm_autolink_protocol", beside_chinese(":", _protocol_rule))
    md.inline.ruler.at("gfm_autolink_email", beside_chinese("@", _email_rule))
    md.use(dollarmath_plugin, allow_digits=False, allow_space=False, double_inline=True)
    md.use(amsmath_plugin).use(attrs_plugin, after=("image", "code_inline", "link_close"))
    extra.install(md)
    for name, rule in {
        "fence": render_fence,
        "code_block": render_code_block,
        "math_inline": render_formula,
        "math_inline_double": render_formula,
        "math_block": render_formula,
        "math_block_label": render_formula,
        "amsmath": render_formula,
    }.items():
        md.add_render_rule(name, rule)
    return md


def render(text: str, *, has_title: bool = False, first_line: int = 1) -> Document:
    """Turn the text into HTML that is not yet sanitised; see posts.rst.render."""
    env: MutableMapping[str, Any] = {"complaints": []}
    tokens = parser().parse(text, env)
    extra.apply(parser(), tokens, env)
    title = "" if has_title else take_title(tokens)
    shift_headings(tokens)
    mark_tasks(tokens)
    align_cells(tokens)
    place_formulas(tokens)
    html = parser().renderer.render(tokens, parser().options, env)
    problems = [Problem(first_line + line, words) for line, words in env["complaints"]]
    return Document(drop_toc(html), title, {}, sorted(set(problems)))


def take_title(tokens: list[Token]) -> str:
    """Take the first heading out if nothing stands before it; otherwise only read it."""
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            title = plain_text(tokens[number + 1])
            if number == 0 or all(other.type == "html_block" for other in tokens[:number]):
                del tokens[number : number + 3]
            return title
    return ""


def plain_text(token: Token) -> str:
    """The words of an inline token, without its markup."""
    kept = ("text", "code_inline", "math_inline", "text_special")
    parts = (
        child.content if child.type in kept else " " if child.type.endswith("break") else ""
        for child in token.children or []
    )
    return " ".join("".join(parts).split())


def strip(text: str) -> str:
    """The words of a line of Markdown."""
    return plain_text(parser().parseInline(text)[0])


def shift_headings(tokens: list[Token]) -> None:
    """The page's title is the one `h1`: where the text has such headings all go down by one."""
    headings = [token for token in tokens if token.type in ("heading_open", "heading_close")]
    if any(token.tag == "h1" for token in headings):
        for token in headings:
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"


def mark_tasks(tokens: list[Token]) -> None:
    """`- [x] done` gets a box that is text: it can be read aloud, copied and printed."""
    for number, token in enumerate(tokens[:-2]):
        if token.type != "list_item_open" or tokens[number + 2].type != "inline":
            continue
        children = tokens[number + 2].children
        if children and (found := re.match(r"\[([ xX])\] ", children[0].content)):
            box = "☐ " if found[1] == " " else "☑ "
            children[0].content = box + children[0].content[4:]
            token.attrJoin("class", "task")


def align_cells(tokens: list[Token]) -> None:
    """Alignment as a class: style attributes are not let through."""
    for token in tokens:
        found = re.search(r"text-align:(left|center|right)", str(token.attrs.pop("style", "")))
        if found:
            token.attrJoin("class", f"align-{found[1]}")


def place_formulas(tokens: list[Token]) -> None:
    """Lines for formulas within paragraphs: the parser knows them only for blocks."""
    for token in tokens:
        if token.type != "inline" or not token.map:
            continue
        at = 0
        for child in token.children or []:
            if child.type.startswith("math_inline"):
                at = max(at, token.content.find(child.content, at))
                line = token.map[0] + token.content.count("\n", 0, at)
                child.map = [line, line + 1]


def drop_toc(html: str) -> str:
    """`[TOC]` alone in a paragraph is Pelican's word; the page has a table of contents already."""
    return re.sub(r"<p>\[TOC\]</p>\n?", "", html)


def render_fence(
    renderer: RendererHTML, tokens: Sequence[Token], number: int, options: OptionsDict, env: EnvType
) -> str:
    """```python hl_lines="1 3" and ```python {linenos=table} as well as plain ```python."""
    token = tokens[number]
    info = token.info.strip().lstrip("{").strip()
    language = re.split(r"[\s{,:}]", info.lstrip("."), maxsplit=1)[0]
    found = FENCE_OPTIONS.findall(token.info)
    given = {name: re.sub("[\"']", " ", value).strip() for name, value in found}
    braces = re.search(r"\{([\d,\s-]+)\}", token.info)
    is_numbered = bool(given.keys() & {"linenos", "linenums", "linenostart"})
    start = (given.get("linenostart") or given.get("linenums", "")).partition(",")[0][:6]
    return highlight(
        token.content,
        language if "=" not in language else "",
        first_line=(int(start) if start.isdecimal() else 1) if is_numbered else None,
        emphasized=given.get("hl_lines")
        or given.get("emphasize-lines")
        or (braces[1] if braces else ""),
    )


def render_code_block(
    renderer: RendererHTML, tokens: Sequence[Token], number: int, options: OptionsDict, env: EnvType
) -> str:
    """Indented code; `:::python` or `#!python` in its first line name a language, as in Pelican."""
    code = tokens[number].content
    found = re.match(r"(?::::|#!)([a-zA-Z][\w+#-]*)[ \t]*\n", code)
    if found:
        return highlight(code[found.end() :], found[1], first_line=1 if code[0] == "#" else None)
    return f"<pre><code>{escape(code)}</code></pre>\n"


def render_formula(
    renderer: RendererHTML, tokens: Sequence[Token], number: int, options: OptionsDict, env: EnvType
) -> str:
    token = tokens[number]
    is_block = token.type != "math_inline"
    try:
        return formula.to_mathml(token.content, is_block=is_block)
    except formula.FormulaInvalid as error:
        env["complaints"].append((token.map[0] if token.map else 0, str(error)))
        return formula.as_code(token.content, is_block=is_block)
