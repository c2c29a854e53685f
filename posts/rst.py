"""reStructuredText to HTML: docutils with its doors shut."""

import re
from collections.abc import Callable
from html import escape
from typing import Any

from docutils import core, nodes
from docutils.parsers import rst
from docutils.readers import standalone
from docutils.transforms import frontmatter
from docutils.utils import Reporter
from docutils.writers import html5_polyglot

from posts import formula, markup, references, sphinx
from posts.document import Document
from posts.metadata import KEYS
from posts.problems import Problem

SETTINGS: dict[str, Any] = {
    "_disable_config": True,
    "file_insertion_enabled": False,
    # Safe, because posts.markup lets through what a stranger may write, and no more.
    "raw_enabled": True,
    "halt_level": Reporter.SEVERE_LEVEL + 1,
    "report_level": Reporter.WARNING_LEVEL,
    "warning_stream": False,
    "initial_header_level": 2,
    "toc_backlinks": False,
    "sectsubtitle_xform": False,
    "syntax_highlight": "none",
    "embed_stylesheet": False,
    "stylesheet_path": "",
    "smart_quotes": False,
    "image_loading": "link",
    "line_length_limit": 100_000,
    "table_style": "colwidths-auto",
    "language_code": "en",
}

WITHOUT_WORDS = re.compile(r"\.\.\s+(?:role|default-role|include|raw)\s*::")


class DocTitle(frontmatter.DocTitle):
    """Promotes the title, and leaves a first subsection what it is, but for metadata in it."""

    def apply(self) -> None:
        if self.document.settings.doctitle_xform:
            self.promote_title(self.document)
        lift_fields(self.document)
        self.set_metadata()


def lift_fields(document: nodes.document) -> None:
    """Move metadata from the head of the first section to the document's, where it is looked for.

    It stands there when a subtitle follows the title, or when several sections are equal.
    """
    section = find_first(document)
    if not isinstance(section, nodes.section):
        return
    found = find_first(section)
    if isinstance(found, nodes.field_list) and any(
        field.children[0].astext().lower() in KEYS for field in found.findall(nodes.field)
    ):
        section.remove(found)
        document.insert(document.index(section), found)


def find_first(element: nodes.Element) -> nodes.Node | None:
    """What the element begins with, after its title and comments."""
    return next((each for each in element if not isinstance(each, nodes.PreBibliographic)), None)


class Reader(standalone.Reader):  # type: ignore[type-arg]  # generic in the stubs only
    def get_transforms(self) -> list[Any]:
        ours: dict[Any, Any] = {frontmatter.DocTitle: DocTitle}
        return [ours.get(transform, transform) for transform in super().get_transforms()]


class Parser(rst.Parser):
    """Tells `note` of everything that docutils complains about."""

    def __init__(self, note: Callable[[nodes.system_message], None]) -> None:
        super().__init__()
        self.note = note

    def parse(self, inputstring: str, document: nodes.document) -> None:
        document.reporter.attach_observer(self.note)
        super().parse(inputstring, document)


def render(text: str, *, has_title: bool = False, first_line: int = 1) -> Document:
    """Turn the text into HTML that is not yet sanitised.

    With `has_title` the title is known from elsewhere, and the first heading stays in the text.
    Problems count their lines from `first_line`.
    """
    sphinx.prepare(text)
    problems: list[Problem] = []

    def note(message: nodes.system_message) -> None:
        if message["level"] >= Reporter.WARNING_LEVEL:
            problems.append(describe(message, first_line))

    document = core.publish_doctree(
        text,
        reader=Reader(),
        parser=Parser(note),
        settings_overrides={**SETTINGS, "doctitle_xform": not has_title},
    )
    title = "" if has_title else take_title(document)
    values = take_fields(document)
    references.refer(document)
    tidy(document)
    rename_ids(document)
    writer = Writer()
    core.publish_from_doctree(document, writer=writer, settings_overrides=SETTINGS)
    problems += [Problem(first_line + line - 1, words) for line, words in writer.complaints]
    return Document(writer.parts["body"], title, values, sorted(set(problems)))


def describe(message: nodes.system_message, first_line: int) -> Problem:
    words = message[0].astext() if len(message) else message.astext()
    return Problem((message.get("line") or 1) + first_line - 1, " ".join(words.split()))


def take_title(document: nodes.document) -> str:
    """Take the title out: docutils' own, or of several top-level sections the first's heading."""
    if document.children and isinstance(document[0], nodes.title):
        return str(document.pop(0).astext())
    for number, node in enumerate(document.children):
        if isinstance(node, nodes.section):
            return take_heading(document, number, node)
        if not isinstance(node, nodes.PreBibliographic):
            break
    found = next(iter(document.findall(nodes.section)), None)
    return str(found[0].astext()) if found is not None else ""


def take_heading(document: nodes.document, number: int, section: nodes.section) -> str:
    """The first of several equal sections is the title; what it holds stays, without heading."""
    title = section.pop(0).astext()
    document[number : number + 1] = section.children
    document["ids"].extend(section["ids"])
    return str(title)


def take_fields(document: nodes.document) -> dict[str, Any]:
    """Take the field list out: {"date": "2016-06-19", ...}, its names in lower case."""
    values: dict[str, Any] = {}
    for docinfo in list(document.findall(nodes.docinfo)):
        for node in docinfo.children:
            key, value = read_field(node)
            values[key] = value
        docinfo.parent.remove(docinfo)
    for topic in list(document.findall(nodes.topic)):
        # docutils makes these of the fields "abstract" and "dedication".
        if "abstract" in topic["classes"]:
            values.setdefault("summary", topic[-1].astext())
    return values


def read_field(node: nodes.Node) -> tuple[str, Any]:
    if isinstance(node, nodes.field):
        return node[0].astext().lower(), node[1].astext()
    if isinstance(node, nodes.authors):
        return "authors", [author.astext() for author in node.children]
    return node.__class__.__name__, node.astext()


def tidy(document: nodes.document) -> None:
    """Remove what is no part of the page: comments, messages, and orders to read local files."""
    for comment in list(document.findall(nodes.comment)):
        if markup.TEASER_WORD.fullmatch(comment.astext()):
            end = nodes.raw("", markup.TEASER_END, format="html")
            comment.parent.replace(comment, end)
    for message in list(document.findall(nodes.system_message)):
        message.parent.replace(message, find_lost(message))
    for node in list(document.findall(nodes.comment)):
        node.parent.remove(node)
    for section in list(document.findall(nodes.section)):
        if section["classes"] == ["system-messages"]:
            section.parent.remove(section)
    for problem in list(document.findall(nodes.problematic)):
        problem.parent.replace(problem, nodes.inline(problem.rawsource, problem.astext()))
    for image in document.findall(nodes.image):
        # "embed" makes the writer read any file of this machine into the page.
        image.attributes.pop("loading", None)
        # Without a description the writer would read the file's address out.
        image.attributes.setdefault("alt", "")
    document.parse_messages.clear()
    document.transform_messages.clear()


def find_lost(message: nodes.system_message) -> list[nodes.Node]:
    """What an error kept docutils from showing, as it was written: its words must not vanish."""
    written = message[-1] if len(message) else None
    if not isinstance(written, nodes.literal_block) or message["level"] < Reporter.ERROR_LEVEL:
        return []
    return [] if WITHOUT_WORDS.match(written.astext()) else [written]


def rename_ids(document: nodes.document) -> None:
    """Give sections ids made from their headings in any script, and mend what points to them."""
    taken: set[str] = set()
    renamed: dict[str, str] = {}
    for section in document.findall(nodes.section):
        if not section.children or not section["ids"]:
            continue
        new = markup.make_id(section[0].astext(), taken)
        taken.add(new)
        renamed[section["ids"][0]] = new
        section["ids"][0] = new
    for node in document.findall(nodes.Element):
        if node.get("refid") in renamed:
            node["refid"] = renamed[node["refid"]]


def line_of(node: nodes.Element) -> int:
    """docutils knows the lines of blocks; within one the line is counted."""
    block: Any = node
    while block.line is None and block.parent is not None:
        block = block.parent
    before, found, _ = block.rawsource.partition(node.rawsource)
    return (block.line or 1) + (before.count("\n") if found and block is not node else 0)


class Writer(html5_polyglot.Writer):
    """docutils' writer with ours to translate. `complaints` are about formulas: line and words."""

    def __init__(self) -> None:
        super().__init__()
        self.translator_class = Translator
        self.complaints: list[tuple[int, str]] = []

    def translate(self) -> None:
        super().translate()
        self.complaints = self.visitor.complaints  # type: ignore[attr-defined]


class Translator(html5_polyglot.HTMLTranslator):
    def __init__(self, document: nodes.document) -> None:
        super().__init__(document)
        self.complaints: list[tuple[int, str]] = []

    def check_simple_list(self, node: nodes.Node) -> bool:
        """docutils' own knows nothing of our code blocks; a list with code is not simple."""
        return not any(node.findall(sphinx.codeblock)) and super().check_simple_list(node)

    def visit_codeblock(self, node: sphinx.codeblock) -> None:
        if node["caption"]:
            self.body.append(f'<p class="code-caption">{escape(node["caption"])}</p>')
        self.body.extend(f'<span id="{escape(name)}"></span>' for name in node["ids"])
        self.body.append(node["html"])
        raise nodes.SkipNode

    def visit_classifier(self, node: nodes.classifier) -> None:
        """docutils leaves the sign to its style sheet, which feed readers lack."""
        self.body.append(" : ")
        super().visit_classifier(node)

    def visit_abbreviation(self, node: nodes.Element) -> None:
        meaning = {"title": node["explanation"]} if "explanation" in node else {}
        self.body.append(self.starttag(node, "abbr", "", **meaning))

    def visit_literal(self, node: nodes.Element) -> None:
        self.body.append(f"<code>{escape(node.astext())}</code>")
        raise nodes.SkipNode

    def visit_math(self, node: nodes.Element) -> None:
        self.add_formula(node, is_block=False)

    def visit_math_block(self, node: nodes.Element) -> None:
        self.add_formula(node, is_block=True)

    def add_formula(self, node: nodes.Element, *, is_block: bool) -> None:
        try:
            html = formula.to_mathml(node.astext(), is_block=is_block)
        except formula.FormulaInvalid as error:
            self.complaints.append((line_of(node), str(error)))
            html = formula.as_code(node.astext(), is_block=is_block)
        # Labels lead here too.
        self.body += [f'<span id="{escape(each)}"></span>' for each in node["ids"]]
        self.body.append(html)
        raise nodes.SkipNode

    def image_size(self, node: nodes.image) -> Any:
        """Sizes as attributes and classes: style attributes are not let through."""
        width = re.fullmatch(r"(\d+)(px|%)?", str(node.get("width", "")))
        if width and width[2] == "%":
            node["classes"].append(f"width-{max(10, round(int(width[1]) / 10) * 10)}")
            return {}
        return {"width": width[1]} if width else {}
