"""What a post says about itself: every way in which Pelican, Nikola and PEPs write it down."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import yaml

# Our word for each key, by what others call it.
KEYS = {
    "title": "title",
    "slug": "slug",
    "date": "date",
    "created": "date",
    "published": "date",
    "pubdate": "date",
    "updated": "updated",
    "modified": "updated",
    "lastmod": "updated",
    "tags": "tags",
    "tag": "tags",
    "keywords": "keywords",
    "category": "category",
    "categories": "category",
    "series": "series",
    "author": "author",
    "authors": "author",
    "summary": "summary",
    "description": "summary",
    "status": "status",
    "draft": "draft",
    "lang": "lang",
    "language": "lang",
    "aliases": "aliases",
    "alias": "aliases",
    "image": "image",
    "cover": "image",
    "previewimage": "image",
}

STATUSES = {
    "published": "published",
    "publish": "published",
    "featured": "published",
    "": "published",
    "draft": "draft",
    "hidden": "hidden",
    "private": "private",
}

NIKOLA_LINE = re.compile(r"\.\. ([a-zA-Z_][\w-]*):(?!:)[ \t]*(.*)")
PELICAN_LINE = re.compile(r"([A-Za-z][\w -]*):[ \t]*(.*)")
PEP_START = re.compile(r"PEP:[ \t]*\d+[ \t]*\n")

DATE_FORMATS = (
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y-%m",
    "%Y",
    "%Y%m%d",
    "%d-%b-%Y",
    "%d-%B-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d.%m.%Y",
    "%Y年%m月%d日",
)
ZONE = re.compile(r"\s*(?:(Z|UTC|GMT)|(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?)$", re.IGNORECASE)


@dataclass
class Header:
    """Metadata found at the head of a file, and what is left of it.

    `body_line` is the line of the file on which the body begins, counted from 1.
    """

    values: dict[str, Any]
    body: str
    body_line: int = 1
    is_pep: bool = False


@dataclass
class Metadata:
    """What the keys mean. A datetime without zone is in the site's; None: nothing was said."""

    title: str = ""
    slug: str = ""
    date: datetime | None = None
    updated: datetime | None = None
    tags: list[str] = field(default_factory=list)
    category: str = ""
    series: str = ""
    author: str = ""
    summary: str = ""
    status: str = "published"
    lang: str = ""
    aliases: list[str] = field(default_factory=list)
    image: str = ""


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
    found = re.match(
        r"(---|\+\+\+)[ \t]*\n(.*?)\n?^\1[ \t]*(?:\n|\Z)", text, re.DOTALL | re.MULTILINE
    )
    if not found:
        return None
    try:
        values = parse_yaml(found[2]) if found[1] == "---" else tomllib.loads(found[2])
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        raise HeaderInvalid(f"the metadata cannot be read: {first_line(error)}", line) from error
    if not isinstance(values, dict):
        # A horizontal rule, or text between two of them: no metadata at all.
        return None
    return Header(lower_keys(values), text[found.end() :], found[0].count("\n") + 1)


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


class TextDates(yaml.SafeLoader):
    yaml_implicit_resolvers = {
        first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


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
    return Header(values, "\n".join(lines[number:]) + "\n", number + 1)


def split_pelican(text: str) -> Header | None:
    """`Key: value` lines until a blank one, as Python-Markdown's meta extension reads them.

    Only when the first key is one that we know: a text may begin with "Note: ...".
    """
    lines = text.splitlines()
    values: dict[str, Any] = {}
    key = ""
    end = next((number for number, line in enumerate(lines) if not line.strip()), len(lines))
    for line in lines[:end]:
        found = PELICAN_LINE.fullmatch(line)
        if found:
            key = found[1].strip().lower()
            values[key] = found[2].strip()
        elif key and line.startswith("    "):
            values[key] += ("; " if key in ("authors", "tags") else " ") + line.strip()
        else:
            return None
    if not values or next(iter(values)) not in KEYS:
        return None
    return Header(values, "\n".join(lines[end:]) + "\n", end + 1)


def split_companion(text: str) -> dict[str, Any]:
    """Nikola's `.meta` file: `.. key: value` lines, YAML or TOML, or the older six bare lines."""
    header = split_fenced(text) or split_nikola(text)
    if header:
        return header.values
    names = ("title", "slug", "date", "tags", "link", "description")
    return dict(zip(names, (line.strip() for line in text.splitlines()), strict=False))


def lower_keys(values: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key).strip().lower(): value for key, value in values.items()}


def interpret(values: Mapping[str, Any]) -> tuple[Metadata, list[str]]:
    """Make sense of raw values; complaints in words for those that make none."""
    ours = {KEYS[key]: value for key, value in values.items() if key in KEYS and value is not None}
    complaints: list[str] = []
    meta = Metadata(
        title=one_line(ours.get("title", ""))[:500],
        slug=clean_slug(one_line(ours.get("slug", ""))),
        tags=unique(split_list(ours.get("tags", []))),
        category=one_line(first(ours.get("category", "")))[:200],
        series=one_line(first(ours.get("series", "")))[:200],
        author=", ".join(split_authors(ours.get("author", "")))[:300],
        summary=one_line(ours.get("summary", "")),
        lang=clean_language(one_line(ours.get("lang", ""))),
        aliases=[alias for alias in map(clean_alias, split_list(ours.get("aliases", []))) if alias],
        image=one_line(ours.get("image", ""))[:400],
    )
    meta.date = read_moment(ours, "date", complaints)
    meta.updated = read_moment(ours, "updated", complaints)
    meta.status = read_status(ours, meta, complaints)
    return meta, complaints


def read_moment(ours: Mapping[str, Any], key: str, complaints: list[str]) -> datetime | None:
    value = ours.get(key, "")
    if value == "":
        return None
    moment = parse_moment(value)
    if moment is None:
        complaints.append(
            f'"{one_line(value)}" is no {key} that we can read; write it as 2016-06-19 20:30'
        )
    return moment


def read_status(ours: Mapping[str, Any], meta: Metadata, complaints: list[str]) -> str:
    """Unknown words make a draft: better hidden by mistake than shown by mistake."""
    if str(ours.get("draft", "")).lower() in ("true", "yes", "1"):
        return "draft"
    for marker in ("draft", "private"):  # Nikola's older way
        if marker in meta.tags:
            meta.tags.remove(marker)
            return marker
    word = one_line(ours.get("status", "")).lower()
    if word not in STATUSES:
        complaints.append(
            f'"{word}" is no status; use published, draft, hidden or private. Kept as a draft.'
        )
        return "draft"
    return STATUSES[word]


def parse_moment(value: Any) -> datetime | None:
    """Read a date or time in any of the ways that blogs write it; None when there is none."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    text = one_line(value).replace("/", "-")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    plain, zone = split_zone(text)
    for form in DATE_FORMATS:
        try:
            return datetime.strptime(plain, form).replace(tzinfo=zone)
        except ValueError:
            continue
    return parse_mail_date(one_line(value))


def split_zone(text: str) -> tuple[str, timezone | None]:
    found = ZONE.search(text)
    # The last part of 2016-06-19 looks like a zone of minus nineteen hours.
    if not found or (found[2] and ":" not in text[: found.start()]):
        return text, None
    if found[1]:
        return text[: found.start()], UTC
    offset = timedelta(hours=int(found[3]), minutes=int(found[4] or 0))
    if offset >= timedelta(hours=24):
        return text, None
    return text[: found.start()], timezone(-offset if found[2] == "-" else offset)


def parse_mail_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def one_line(value: Any) -> str:
    return " ".join(str(value).split())


def first(value: Any) -> Any:
    """Of a list the first; of text all up to a comma (Nikola allows one category, as we do)."""
    return (value[0] if value else "") if isinstance(value, list) else value


def split_list(value: Any) -> list[str]:
    """Items of a list, or of text with commas or semicolons; a leading `#` is only decoration."""
    if not isinstance(value, list):
        text = str(value).strip()
        if text.startswith("[") and text.endswith("]"):
            text = text[1:-1]
        value = re.split(r"[;；]" if re.search("[;；]", text) else r"[,，、\n]", text)
    items = (one_line(item).strip("\"'").removeprefix("#").strip() for item in value)
    return [item[:200] for item in items if item]


def split_authors(value: Any) -> list[str]:
    """Authors are parted by semicolons, or else by commas."""
    return unique(split_list(value))


def unique(items: list[str]) -> list[str]:
    return list({item.lower(): item for item in reversed(items)}.values())[::-1]


def clean_slug(slug: str) -> str:
    """One segment of an address: no slash, question mark or hash, no dots alone."""
    slug = re.sub(r"[\s/\\?#%]+", "-", slug).strip("-")
    return "" if slug.strip(".") == "" else slug[:200]


def clean_language(text: str) -> str:
    """A BCP 47 tag, as far as its form goes: `zh_CN` becomes `zh-CN`."""
    text = text.replace("_", "-")
    return text if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", text) else ""


def clean_alias(alias: str) -> str:
    """The path of an older address, `/` first, without scheme, host, query and fragment."""
    path = re.sub(r"^[a-z]+://[^/]*", "", alias.strip())
    path = re.split(r"[?#]", path)[0]
    return "/" + path.lstrip("/") if path.strip("/") else ""
