"""Words of Sphinx, Nikola and Pelican that docutils lacks: understood, or made plain text."""

import re
from functools import cache
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives, roles
from docutils.parsers.rst.directives.admonitions import BaseAdmonition
from docutils.parsers.rst.directives.images import Figure
from docutils.parsers.rst.languages import en as english
from docutils.utils import Reporter, new_document

from posts.highlight import highlight
from posts.nikola import AnyOptions, Chart, Gallery, Include, Listing, PostList, Slides
from posts.options import forgive
from posts.references import RoleResult, ref_role, split_target

# The stubs know less of these than docutils takes.
register_role: Any = roles.register_canonical_role
ENGLISH: Any = english

ROLE = re.compile(r":([A-Za-z][\w:.+-]*):`|`:([A-Za-z][\w:.+-]*):")
DIRECTIVE = re.compile(r"^\s*\.\.\s+(?:\|[^|\n]+\|\s+)?([A-Za-z][\w:.+-]*)[ \t]?::", re.MULTILINE)

# Directives that only steer Sphinx or Nikola and have nothing to say to a reader.
SILENT = frozenset(
    "toctree highlight highlightlang currentmodule currentclass index only-config tabularcolumns "
    "default-domain py:currentmodule sectnum-depth slides-config more".split()
)
VERSIONS = {
    "versionadded": "New in version {}",
    "versionchanged": "Changed in version {}",
    "deprecated": "Deprecated since version {}",
    "deprecated-removed": "Deprecated since version {}",
    "versionremoved": "Removed in version {}",
}
LABELS = {
    **VERSIONS,
    "youtube": "https://www.youtube.com/watch?v={}",
    "vimeo": "https://vimeo.com/{}",
    "gist": "https://gist.github.com/{}",
    "soundcloud": "https://api.soundcloud.com/tracks/{}",
    "soundcloud_playlist": "https://api.soundcloud.com/playlists/{}",
    "media": "{}",
}
LITERAL_ROLES = frozenset(
    "func meth class mod attr exc data const obj keyword file program option envvar command kbd "
    "samp c:func c:type c:macro c:data c:member cpp:func cpp:class js:func token regexp makevar "
    "py:func py:meth py:class py:mod py:attr py:exc py:data py:obj".split()
)
# Roles that docutils knows by name only; `index` is Sphinx'.
UNIMPLEMENTED = (
    "index named-reference anonymous-reference uri-reference footnote-reference "
    "citation-reference substitution-reference target".split()
)


def prepare(text: str) -> None:
    """Teach docutils the roles and directives of this text that it does not know.

    docutils keeps them for the process; that is harmless, since each name always means the same.
    """
    register_forgiving()
    register_ours()
    for found in ROLE.finditer(text):
        name = (found[1] or found[2]).lower()
        if not is_known_role(name):
            register_role(name, degrade_role)
    for found in DIRECTIVE.finditer(text):
        name = found[1].lower()
        if not is_known_directive(name):
            directives.register_directive(name, Degraded)


@cache
def register_forgiving() -> None:
    for name in english.directives:
        found, _ = directives.directive(name, ENGLISH, quiet_document())
        if isinstance(found, type):
            directives.register_directive(name, forgive(found))


@cache
def register_ours() -> None:
    for name in ("code", "code-block", "sourcecode", "highlight-code", "code-cell"):
        directives.register_directive(name, Code)
    directives.register_directive("seealso", forgive(SeeAlso))
    directives.register_directive("thumbnail", forgive(Figure))
    directives.register_directive("listing", Listing)
    directives.register_directive("literalinclude", Listing)
    directives.register_directive("include", forgive(Include))
    directives.register_directive("chart", Chart)
    directives.register_directive("gallery", Gallery)
    directives.register_directive("slides", Slides)
    directives.register_directive("post-list", PostList)
    directives.register_directive("post_list", PostList)
    for name in UNIMPLEMENTED:
        register_role(name, degrade_role)
    register_role("pep", pep_role)
    register_role("pep-reference", pep_role)
    register_role("ref", ref_role)
    register_role("doc", doc_role)
    register_role("download", doc_role)
    register_role("abbr", abbr_role)


@cache
def quiet_document() -> nodes.document:
    document = new_document("")
    document.reporter = Reporter("", Reporter.SEVERE_LEVEL + 1, Reporter.SEVERE_LEVEL + 1, None)
    return document


def is_known_role(name: str) -> bool:
    found, _ = roles.role(name, ENGLISH, 0, quiet_document().reporter)
    return found is not None


def is_known_directive(name: str) -> bool:
    found, _ = directives.directive(name, ENGLISH, quiet_document())
    return found is not None


def degrade_role(
    name: str, rawtext: str, text: str, lineno: int, inliner: Any, options: Any = None,
    content: Any = None,
) -> RoleResult:  # fmt: skip
    """The words that the role would have shown, as code where they name code."""
    text = nodes.unescape(text)
    title, target = split_target(text)
    if title == target:
        title = text.removeprefix("!")
        if title.startswith("~"):
            title = title[1:].rpartition(".")[2]
    if name in LITERAL_ROLES:
        return [nodes.literal(rawtext, title)], []
    return [nodes.inline(rawtext, title)], []


def pep_role(
    name: str, rawtext: str, text: str, lineno: int, inliner: Any, options: Any = None,
    content: Any = None,
) -> RoleResult:  # fmt: skip
    """`:pep:`8`` and also `:pep:`title <8#anchor>``, which docutils' own refuses."""
    title, target = split_target(nodes.unescape(text))
    number, hash_sign, anchor = target.partition("#")
    if not number.strip().isdecimal():
        return degrade_role(name, rawtext, text, lineno, inliner)
    address = f"https://peps.python.org/pep-{int(number):04d}/{hash_sign}{anchor}"
    shown = title if title != target else f"PEP {number}{' §' if anchor else ''}{anchor}"
    return [nodes.reference(rawtext, shown, refuri=address)], []


def doc_role(
    name: str, rawtext: str, text: str, lineno: int, inliner: Any, options: Any = None,
    content: Any = None,
) -> RoleResult:  # fmt: skip
    """`:doc:` names another post: a link, which the index resolves or reports.

    Its words are the post's title where it gives none.
    """
    title, target = split_target(nodes.unescape(text))
    reference = nodes.reference(rawtext, title, refuri=target.strip())
    if name == "doc" and title == target:
        reference["classes"].append("post-title")
    return [reference], []


def abbr_role(
    name: str, rawtext: str, text: str, lineno: int, inliner: Any, options: Any = None,
    content: Any = None,
) -> RoleResult:  # fmt: skip
    """`:abbr:`HTML (the long words)`` shows the short ones and says the long ones when asked."""
    short, _, long = nodes.unescape(text).strip().removesuffix(")").partition("(")
    meaning = {"explanation": long.strip()} if long else {}
    return [nodes.abbreviation(rawtext, short.strip(), **meaning)], []


class Degraded(Directive):
    """A directive that nobody here knows: its arguments and content as ordinary text."""

    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[Any] = AnyOptions()
    has_content = True

    def run(self) -> list[nodes.Node]:
        name = self.name.lower()
        if name in SILENT:
            return []
        box = nodes.container(classes=find_classes(name))
        argument = " ".join((self.arguments or [""])[0].split())
        if not argument and not self.content:
            return []
        if argument:
            label = LABELS.get(name, "{}").format(argument)
            if name in VERSIONS:
                label = label_version(name, argument)
            children, messages = self.state.inline_text(label, self.lineno)
            box += nodes.paragraph(label, "", *children, classes=["directive-argument"])
            box += messages
        self.state.nested_parse(self.content, self.content_offset, box)
        return list(box.children) if not box["classes"] else [box]


def label_version(name: str, argument: str) -> str:
    """The version is a word, of the one that names two: both; what was done then may follow."""
    words = argument.split(" ")
    number = 2 if name == "deprecated-removed" else 1
    label = VERSIONS[name].format(", removed in ".join(words[:number]))
    return f"{label}: {' '.join(words[number:])}" if words[number:] else label


def find_classes(name: str) -> list[str]:
    """What is elsewhere looks like something to open; nothing of it is loaded from there."""
    if name not in LABELS:
        return []
    return ["media" if LABELS[name].startswith(("http", "{}")) else "versionmodified"]


class SeeAlso(BaseAdmonition):
    node_class = nodes.admonition

    def run(self) -> list[nodes.Node]:
        self.arguments = ["See also"]
        self.options["classes"] = ["seealso"]
        return list(super().run())


class codeblock(nodes.General, nodes.FixedTextElement):
    """Code that is already HTML, in `html`."""


class Code(Directive):
    """`code` of docutils and `code-block` of Sphinx, with the options of both."""

    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[Any] = AnyOptions()
    has_content = True

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        code = "\n".join(self.content) + "\n"
        html = highlight(
            code,
            (self.arguments or [""])[0].split(" ")[0],
            first_line=self.first_line(),
            emphasized=self.options.get("emphasize-lines") or self.options.get("hl_lines", ""),
        )
        node = codeblock(code, code, html=html, caption=self.options.get("caption", ""))
        if self.options.get("name"):
            self.options["name"] = nodes.fully_normalize_name(self.options["name"])
            self.add_name(node)
        return [node]

    def first_line(self) -> int | None:
        """docutils writes `number-lines: 5`, Sphinx `lineno-start`, Pygments `linenos`."""
        for name in ("lineno-start", "linenostart", "number-lines", "linenos"):
            if name in self.options and self.options[name] != "none":
                value = self.options[name]
                return int(value) if value.isdecimal() else 1
        return None
