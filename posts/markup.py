"""Makes HTML of any origin safe to show, and learns from it: headings, links, text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape, unescape
from html.parser import HTMLParser

from posts import choosing, exhibits, links, listings, source
from posts.sanitizing import OWN_IDS, sanitize

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
# Remarks, contents, tables and orders to other tools: a text does not begin with them.
BESIDE_TAGS = frozenset({"aside", "nav", "table", "dl", "figcaption"})
BESIDE = re.compile(
    r"\b(?:admonition|topic|sidebar|contents|versionmodified|media|code-caption|math-problem|rubric|"
    r"directive-argument)\b"
)
BARE_ADDRESS = re.compile(r"(?:见：?\s*)?https?://\S+")


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
        self.first_beside = ""
        self.beside = 0
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
                    self.absolutes, self.fragments,
                    self.first_paragraph or self.first_beside)  # fmt: skip

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
        if self.beside or tag in BESIDE_TAGS or BESIDE.search(values.get("class", "")):
            self.beside += tag not in VOID
        if re.fullmatch("h[1-6]", tag):
            self.open_heading(tag, values)
        elif tag == "p" and self.paragraph is None and not self.first_paragraph:
            self.paragraph = None if "-title" in values.get("class", "") else []
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
        gallery = values.pop("data-gallery", None)
        self.out.append(start_tag(SHOWN_AS.get(tag, tag), values))
        self.out.append(title)
        if code is not None:
            self.out.append(listings.mark(self.note(listings.make_target(code))))
        if gallery is not None:
            self.out.append(listings.mark(self.note(exhibits.make_target(gallery))))
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
            self.close_paragraph()
        self.beside -= bool(self.beside)
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

    def close_paragraph(self) -> None:
        words = " ".join("".join(self.paragraph or []).split())
        self.paragraph = None
        if BARE_ADDRESS.fullmatch(words):
            return
        if self.beside:
            self.first_beside = self.first_beside or words
        else:
            self.first_paragraph = words

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
        # These stand for words, code and pictures, which are no address.
        if target.startswith((links.TITLE, listings.CODE, exhibits.SHOWN)):
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
