"""Makes HTML of any origin safe to show, and learns from it: headings, links, text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from html import escape, unescape
from html.parser import HTMLParser

import nh3

from posts import choosing, links, listings, source

MATHML = frozenset(
    "math mi mn mo ms mtext mspace mrow msqrt mroot mfrac msub msup msubsup munder mover "
    "munderover mtable mtr mtd mstyle menclose mpadded mphantom mmultiscripts mprescripts".split()
)
TAGS = MATHML | frozenset(
    "a abbr aside audio b bdi bdo blockquote br caption cite code col colgroup dd del details dfn "
    "div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark nav ol p pre "
    "q rp rt ruby s samp section small source span strong sub summary sup table tbody td tfoot th "
    "thead time tr u ul var video wbr".split()
)
ATTRIBUTES = {
    "*": {"id", "class", "lang", "dir", "title", "role"},
    "a": {"href", "name"},
    "abbr": {"title"},
    "audio": {"src", "controls", "preload", "loop"},
    "blockquote": {"cite"},
    "details": {"open"},
    "div": {"data-posts", "data-code"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start", "reversed", "type"},
    "li": {"value"},
    "source": {"src", "type"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
    "video": {"src", "controls", "preload", "poster", "width", "height", "loop", "muted"},
    "math": {"display"},
    "mo": {"stretchy", "form", "fence", "separator", "lspace", "rspace", "minsize", "maxsize",
           "movablelimits", "accent", "symmetric", "largeop"},
    "mi": {"mathvariant"},
    "mtable": {"columnalign", "columnspacing", "rowspacing", "displaystyle"},
    "mtd": {"columnalign"},
    "mstyle": {"displaystyle", "scriptlevel", "mathcolor"},
    "mspace": {"width", "height", "depth"},
    "mfrac": {"linethickness", "displaystyle"},
    "mover": {"accent"},
    "munder": {"accentunder"},
    "menclose": {"notation"},
    "mpadded": {"width", "height", "depth", "lspace", "voffset"},
}  # fmt: skip
SCHEMES = {"http", "https", "mailto", "tel", "ftp", "xmpp", "irc", "link"}

# A post may not dress up as a part of the page around it: only these classes are kept. Those of
# one to three characters are Pygments' words for kinds of code.
CLASSES = re.compile(
    r"[a-z]{1,3}[0-9]?|highlight|linenos|language-[\w+#.-]+|admonition|admonition-title|attention|"
    r"caution|danger|error|hint|important|note|tip|warning|seealso|topic|topic-title|sidebar|"
    r"sidebar-title|sidebar-subtitle|contents|local|align-(?:left|center|right)|figure|caption|"
    r"legend|footnote(?:-list|-reference|-ref|-backref|s|s-list|-item|s-sep)?|citation(?:-list|-reference)?|brackets|label|"
    r"backrefs|superscript|attribution|epigraph|pull-quote|highlights|compound|rubric|line|"
    r"line-block|option-list|field-list|docutils|literal|literal-block|math|task|width-\d0|width-100|"
    r"versionmodified|post-list|post-title|media|code-caption|problematic|guilabel|menuselection|math-problem"
)
ROLES = re.compile(r"doc-[a-z]+|note|math|presentation")
OWN_IDS = "site-"

SKIPPED_TEXT = frozenset({"math", "nav"})
BLOCKS = frozenset(
    "p li h1 h2 h3 h4 h5 h6 pre tr dt dd blockquote figcaption caption br td th div".split()
)
# The page has its own title, and a note within a text is no landmark beside it.
SHOWN_AS = {"h1": "h2", "aside": "div"}
VOID = frozenset({"br", "hr", "img", "col", "source", "wbr"})
LINKING = {"a": ("href",), "img": ("src",), "video": ("src", "poster"), "audio": ("src",),
           "source": ("src",)}  # fmt: skip

# Browsers show the end of a source line as a space, which Chinese and Japanese have none of.
LINE_END_IN_CHINESE = re.compile(
    "(?<=[\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\uff01-\uff60…—”])[ \t]*\n[ \t]*"
    "(?=[\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\uff01-\uff60…—“])"
)
# Up to here a text may be shown in lists: Nikola's word, Pelican's, WordPress' and Hugo's.
TEASER_WORD = re.compile(
    r"\s*(?:TEASER_END|END_TEASER|PELICAN_END_SUMMARY|more)\s*(?::[^>]{0,200})?", re.IGNORECASE
)
TEASER_END = "<!-- TEASER_END -->"
TEASER = re.compile(rf"<!--{TEASER_WORD.pattern}-->", re.IGNORECASE)
BARE_ADDRESS = re.compile(r"(?:见：?\s*)?https?://\S+")


def keep_attribute(tag: str, name: str, value: str) -> str | None:
    """nh3 asks this for every allowed attribute; None drops it."""
    if name == "class":
        return " ".join(word for word in value.split() if CLASSES.fullmatch(word)) or None
    if name == "role":
        return value if ROLES.fullmatch(value) else None
    if name in ("id", "name"):
        return None if value.startswith(OWN_IDS) or not value.strip() else value
    if name in ("src", "poster") and re.match(
        r"(?!https?:)[a-z][a-z0-9+.-]*:", value, re.IGNORECASE
    ):
        return None
    if tag in ("img", "video") and name in ("width", "height"):
        return value if value.isdecimal() and len(value) < 5 else None
    return value


@cache
def cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        attribute_filter=keep_attribute,
        clean_content_tags={"script", "style", "template", "title", "head"},
        url_schemes=SCHEMES,
        link_rel=None,
    )


def sanitize(html: str) -> str:
    """Only what may be shown to strangers: no script, style, form, frame or foreign scheme."""
    return cleaner().clean(html)


@dataclass
class Heading:
    level: int
    id: str
    text: str


@dataclass
class Page:
    """Safe HTML and what it holds. `targets` are the local links in the order of their marks.

    `absolutes` are those with scheme or host: some may lead to this very site.
    """

    body: str
    text: str
    headings: list[Heading] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    targets: list[str] = field(default_factory=list)
    absolutes: list[str] = field(default_factory=list)
    fragments: list[str] = field(default_factory=list)
    first_paragraph: str = ""


def finish(html: str) -> Page:
    """Sanitise, give every heading an id, and replace local links by marks (see posts.links).

    Marks of the post's own are taken out once more where character references are decoded.
    """
    reader = Reader()
    safe = source.make_fit(sanitize(source.make_fit(html)))
    reader.ids.update(unescape(found) for found in re.findall(r' id="([^"]*)"', safe))
    reader.feed(safe)
    reader.close()
    return reader.page()


def read_teaser(html: str) -> str:
    """The words before the mark that ends the teaser; "" without one."""
    found = TEASER.search(html)
    if not found:
        return ""
    reader = Reader()
    reader.feed(sanitize(source.make_fit(html[: found.start()])))
    return reader.page().text


def make_id(text: str, taken: Iterable[str]) -> str:
    """A heading's id: its letters and digits, of any script, so that links to it stay."""
    plain = re.sub(r"[^\w\s-]", "", text.lower()).strip()
    base = re.sub(r"\s+", "-", plain) or "section"
    if base.startswith(OWN_IDS):
        base = f"section-{base}"
    candidate, number = base, 1
    while candidate in taken:
        number += 1
        candidate = f"{base}-{number}"
    return candidate


class Reader(HTMLParser):
    """Copies sanitised HTML through, changing a few tags on the way."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.out: list[str] = []
        self.texts: list[str] = []
        self.headings: list[Heading] = []
        self.ids: set[str] = set()
        self.targets: list[str] = []
        self.absolutes: list[str] = []
        self.fragments: list[str] = []
        self.paragraph: list[str] | None = None
        self.first_paragraph = ""
        self.heading: list[str] | None = None
        self.heading_at = 0
        self.heading_id = ""
        self.section_id = ""
        self.silent = 0
        self.is_line_number = False
        self.is_title = False
        self.preformatted = 0

    def page(self) -> Page:
        text = re.sub(r"[ \t]*\n\s*", "\n", "".join(self.texts)).strip()
        return Page("".join(self.out), text, self.headings, self.ids, self.targets,
                    self.absolutes, self.fragments, self.first_paragraph)  # fmt: skip

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.is_line_number = values.get("class") == "linenos"
        # How HTML called the place before there were ids.
        if "name" in values and (name := values.pop("name")) not in self.ids:
            self.ids.add(values.setdefault("id", name))
        if tag in SKIPPED_TEXT:
            self.silent += 1
        if tag in BLOCKS:
            self.texts.append("\n")
        if re.fullmatch("h[1-6]", tag):
            self.open_heading(tag, values)
        elif tag == "p" and self.paragraph is None and not self.first_paragraph:
            self.paragraph = []
        elif tag == "section":
            self.section_id = values.get("id", "")
        elif tag == "table":
            self.out.append('<div class="table-box" tabindex="0">')
        elif tag == "pre":
            self.preformatted += 1
            values["tabindex"] = "0"
        elif tag == "img":
            values = {"alt": "", "loading": "lazy", **values}
        title = self.mark_title(values) if tag == "a" else ""
        for name in LINKING.get(tag, ()):
            if name in values:
                values[name] = self.mark(values[name])
        code, options = values.pop("data-code", None), values.pop("data-posts", None)
        self.out.append(start_tag(SHOWN_AS.get(tag, tag), values))
        self.out.append(title)
        if code is not None:
            self.out.append(listings.mark(self.note(listings.make_target(code))))
        if options is not None:
            self.out.append(choosing.mark(choosing.dump(choosing.load(options))))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self.is_line_number = False
        self.is_title = self.is_title and tag != "a"
        if tag in SKIPPED_TEXT:
            self.silent -= 1
        if tag == "pre":
            self.preformatted -= 1
        if tag in BLOCKS:
            self.texts.append("\n")
        if re.fullmatch("h[1-6]", tag):
            self.close_heading(tag)
        elif tag == "p" and self.paragraph is not None:
            words = " ".join("".join(self.paragraph).split())
            self.first_paragraph = "" if BARE_ADDRESS.fullmatch(words) else words
            self.paragraph = None
        self.out.append(f"</{SHOWN_AS.get(tag, tag)}>")
        if tag == "table":
            self.out.append("</div>")

    def handle_data(self, data: str) -> None:
        if not self.preformatted:
            data = LINE_END_IN_CHINESE.sub("", data)
        self.show(data)
        self.take_text(data)

    def handle_entityref(self, name: str) -> None:
        self.show(f"&{name};")
        self.take_text(unescape(f"&{name};"))

    def handle_charref(self, name: str) -> None:
        self.show(f"&#{name};")
        self.take_text(unescape(f"&#{name};"))

    def show(self, html: str) -> None:
        if not self.is_title:
            self.out.append(html)

    def take_text(self, text: str) -> None:
        if self.silent or self.is_line_number:
            return
        self.texts.append(text)
        if self.paragraph is not None:
            self.paragraph.append(text)
        if self.heading is not None:
            self.heading.append(text)

    def open_heading(self, tag: str, values: dict[str, str]) -> None:
        self.heading = []
        self.heading_at = len(self.out)
        self.heading_id = values.get("id", "") or self.section_id
        self.section_id = ""

    def close_heading(self, tag: str) -> None:
        text = " ".join("".join(self.heading or []).split())
        if not self.heading_id:
            self.heading_id = make_id(text, self.ids)
            self.ids.add(self.heading_id)
            opening = self.out[self.heading_at]
            self.out[self.heading_at] = f'{opening[:-1]} id="{escape(self.heading_id)}">'
        self.headings.append(Heading(max(2, int(tag[1])), self.heading_id, text))
        self.heading = None

    def mark_title(self, values: dict[str, str]) -> str:
        """A mark for the title of the post that is linked to, where no other words are given."""
        target = values.get("href", "")
        if values.get("class") != "post-title" or target.startswith(("#", "link:")):
            return ""
        del values["class"]
        self.is_title = links.is_local(target)
        return links.mark(self.note(f"{links.TITLE}{target}")) if self.is_title else ""

    def mark(self, target: str) -> str:
        if target.startswith("#"):
            self.fragments.append(target[1:])
            return target
        if not links.is_local(target):
            self.absolutes.append(target)
            return target
        # These stand for words and code, which are no address.
        if target.startswith((links.TITLE, listings.CODE)):
            return "#"
        return links.mark(self.note(target))

    def note(self, target: str) -> int:
        self.targets.append(target)
        return len(self.targets) - 1


def start_tag(tag: str, values: dict[str, str]) -> str:
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in values.items())
    return f"<{tag}{attributes}>"


def make_toc(headings: list[Heading]) -> list[dict[str, object]]:
    """Headings of the upper three levels with their depth from 0, for the table of contents."""
    if not headings:
        return []
    top = min(heading.level for heading in headings)
    return [
        {"depth": heading.level - top, "id": heading.id, "text": heading.text}
        for heading in headings
        if heading.level < top + 3 and heading.text
    ]
