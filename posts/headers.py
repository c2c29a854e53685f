"""Where a post says things about itself: every way in which Pelican, Nikola and PEPs do it."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from posts.metadata import KEYS
from posts.problems import Problem

NIKOLA_LINE = re.compile(r"\.\. ([a-zA-Z_][\w-]*):(?!:)[ \t]*(.*)")
# As Python-Markdown's meta extension has it, but for spaces within a key.
PELICAN_LINE = re.compile(r" {0,3}(?!https?://)([A-Za-z0-9_-]+(?: [\w -]*)?):[ \t]*(.*)")
PELICAN_END = re.compile(r"(?:---|\.\.\.)(?:\s.*)?")
# Nobody begins a text with these words and a colon, so one of them is enough to tell a header.
PELICAN_KEYS = frozenset({*KEYS, "template"} - {"link", "translation", "url"})
PEP_START = re.compile(r"PEP:[ \t]*\d+[ \t]*\n")
FENCED = re.compile(r"(---|\+\+\+)[ \t]*\n(.*?)\n?^\1[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)


# More than anyone writes; reading YAML takes a hundred times its size.
MAX_HEADER = 64 * 1024


@dataclass
class Header:
    """Metadata found at the head of a file, and what is left of it.

    `body_line` is the line of the file on which the body begins, counted from 1.
    """

    values: dict[str, Any]
    body: str
    body_line: int = 1
    is_pep: bool = False
    is_pelican: bool = False
    is_nikola: bool = False
    problems: list[Problem] = field(default_factory=list)


def split_rst(text: str) -> Header:
    """Take a Nikola, YAML, TOML or PEP header off; Pelican's field list is docutils' matter."""
    if PEP_START.match(text):
        return split_pep(text)
    return split_fenced(text) or split_nikola(text) or Header({}, text)


def split_markdown(text: str) -> Header:
    return split_fenced(text) or split_nikola(text) or split_pelican(text) or Header({}, text)


def split_pep(text: str) -> Header:
    """RFC 2822: `Key: value`, continued on indented lines, until a blank line."""
    head, _, body = text.partition("\n\n")
    unfolded = re.sub(r"\n[ \t]+", " ", head)
    pairs = (line.partition(":") for line in unfolded.splitlines())
    values = {key.strip().lower(): value.strip() for key, _, value in pairs}
    # "Draft" and "Final" say how far a proposal has come, not whether it may be read.
    wanted: dict[str, Any] = {
        key: values[key] for key in ("title", "author", "created") if key in values
    }
    if "author" in wanted:
        wanted["author"] = re.sub(r"\s*<[^>]*>|\s*\([^)]*@[^)]*\)", "", wanted["author"])
    if "pep" in values and "title" in wanted:
        wanted["title"] = f"PEP {values['pep']} – {wanted['title']}"
    return Header(wanted, body, head.count("\n") + 3, is_pep=True)


def split_fenced(text: str) -> Header | None:
    """YAML between `---` or TOML between `+++`. Raises HeaderInvalid when it cannot be read."""
    found = FENCED.match(text)
    if not found:
        return None
    if len(found[2]) > MAX_HEADER:
        raise HeaderInvalid(
            f"the metadata has {len(found[2]) // 1024} KB; it may have {MAX_HEADER // 1024} KB", 1
        )
    try:
        values = parse_yaml(found[2]) if found[1] == "---" else tomllib.loads(found[2])
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        plain = split_pelican(found[2]) if found[1] == "---" else None
        if plain and is_plain(plain):
            return Header(
                plain.values, text[found.end() :], found[0].count("\n") + 1, is_pelican=True
            )
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        raise HeaderInvalid(f"the metadata cannot be read: {first_line(error)}", line) from error
    if not isinstance(values, dict):
        # A horizontal rule, or text between two of them: no metadata at all.
        return None
    return Header(lower_keys(values), text[found.end() :], found[0].count("\n") + 1)


def is_plain(header: Header) -> bool:
    """Pelican takes `Title: Python: a story` between dashes, which is no YAML.

    It must be plain words all through: what begins as something else in YAML was meant as that.
    """
    values = (value[:1] for value in header.values.values())
    return not header.body.strip() and not any(
        value in "\"'[{&*!|>%@`" for value in values if value
    )


class HeaderInvalid(Exception):
    """A metadata block that cannot be read, with the line of the file."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def first_line(error: Exception) -> str:
    problem = getattr(error, "problem", None) or str(error) or type(error).__name__
    return str(problem).splitlines()[0]


def parse_yaml(text: str) -> Any:
    """Times stay as they are written: YAML would turn those with a zone into UTC."""
    return yaml.load(text, Loader=TextDates)  # noqa: S506 - a SafeLoader that leaves dates alone


class WithoutAliases:
    """A few lines of them stand for gigabytes."""

    def compose_node(self: Any, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.composer.ComposerError(
                None, None, "*alias: write the value out instead", mark
            )
        return super().compose_node(parent, index)  # type: ignore[misc, no-any-return]


class TextDates(WithoutAliases, yaml.SafeLoader):
    yaml_implicit_resolvers = {
        first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class Texts(WithoutAliases, yaml.BaseLoader):
    """All values as they are written: no tag makes anything else of them, or fails to."""


def split_nikola(text: str) -> Header | None:
    """`.. key: value` lines at the head, in Markdown within an HTML comment."""
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    in_comment = start < len(lines) and lines[start].strip() == "<!--"
    values: dict[str, Any] = {}
    number = start + 1 if in_comment else start
    while number < len(lines) and (found := NIKOLA_LINE.match(lines[number].strip())):
        values[found[1].lower()] = found[2].strip()
        number += 1
    if not values:
        return None
    if in_comment and number < len(lines) and lines[number].strip() == "-->":
        number += 1
    return Header(values, "\n".join(lines[number:]) + "\n", number + 1, is_nikola=True)


def split_pelican(text: str) -> Header | None:
    """`Key: value` lines at the head, as Python-Markdown's meta extension reads them.

    They end at the first line that is none, blank or not. Only with a key among them that we know:
    a text may begin with "Note: ...".
    """
    lines = text.splitlines()
    end = find_pelican_end(lines)
    values: dict[str, Any] = {}
    key = ""
    for line in lines[:end]:
        if found := PELICAN_LINE.fullmatch(line):
            key = found[1].strip().lower()
            # Of two the first counts, there as well.
            values.setdefault(key, found[2].strip())
        else:
            values[key] = join_pelican(key, values[key], line.strip())
    if PELICAN_KEYS.isdisjoint(values):
        return None
    problems = find_swallowed(lines, end, key)
    if end < len(lines) and PELICAN_END.fullmatch(lines[end]):
        end += 1
    return Header(
        values, "\n".join(lines[end:]) + "\n", end + 1, is_pelican=True, problems=problems
    )


def find_pelican_end(lines: list[str]) -> int:
    """The index of the first line that is text.

    Pelican knows no key of several words: it begins the text, unless a key that we know comes below
    it. To that, which may be `Status: draft`, we would rather listen.
    """
    end = 0
    for number, line in enumerate(lines, start=1):
        found = PELICAN_LINE.fullmatch(line)
        if not found and not (number > 1 and line.startswith("    ") and line.strip()):
            break
        key = found[1].strip().lower() if found else ""
        if key in PELICAN_KEYS or (end == number - 1 and " " not in key):
            end = number
    return end


def join_pelican(key: str, value: str, more: str) -> str:
    if key not in ("authors", "tags"):
        return f"{value} {more}"
    return value.rstrip(",; ") + ("; " if ";" in value + more else ", ") + more


def find_swallowed(lines: list[str], end: int, key: str) -> list[Problem]:
    """`Note: ...` is metadata to Pelican when no blank line parts it from the header."""
    is_parted = end >= len(lines) or not lines[end].strip() or PELICAN_END.fullmatch(lines[end])
    if key in PELICAN_KEYS or is_parted:
        return []
    words = f'"{key}" is read as metadata, as Pelican does; if it is text, put a blank line above.'
    return [Problem(end, words)]


def split_companion(text: str) -> dict[str, Any]:
    """Nikola's `.meta` file: `.. key: value` lines, YAML or TOML, or the older six bare lines."""
    header = split_fenced(text) or split_nikola(text)
    if header:
        return header.values
    names = ("title", "slug", "date", "tags", "link", "description")
    return dict(zip(names, (line.strip() for line in text.splitlines()), strict=False))


def lower_keys(values: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key).strip().lower(): value for key, value in values.items()}
