"""One file becomes one draft: all that the blog keeps of a post and that its file decides."""

import hashlib
import importlib.metadata
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

from posts import (
    captions,
    choosing,
    conventions,
    exhibits,
    galleries,
    headers,
    languages,
    markup,
    metadata,
    originals,
    processes,
    reading,
    shortcodes,
    source,
)
from posts.document import Document
from posts.lines import find_lost_fragments, line_of_value, locate_links
from posts.problems import Problem, cut
from posts.processes import TimeUp, time_limit
from posts.source import Folder, PostUnreadable, SourceFile

SECONDS_A_POST = 20.0
# Fewer posts than this are rendered sooner than other processes would have started.
FEW = 24
# Who says where a teaser ends may mean a few paragraphs.
TEASER_COLUMNS = 800

LIBRARIES = ("docutils", "markdown-it-py", "mdit-py-plugins", "Pygments", "nh3", "PyYAML")
MODULES = (
    "answers captions choosing codes conventions document exhibitions exhibits extra fitting "
    "formula galleries guessing headers highlight languages lines linking links listings literal "
    "markdown markup metadata moments nikola options originals placement problems processes "
    "reading references rendering rst sanitizing shortcodes shrinking source sphinx tex thumbnails "
    "translations"
).split()


@dataclass
class Draft:
    """Columns of a post, by their names, as far as its file alone decides them."""

    title: str = ""
    base_slug: str = ""
    day: date | None = None
    published_at: datetime | None = None
    revised_at: datetime | None = None
    status: str = "published"
    language: str = ""
    stated_language: str = ""
    is_translation: bool = False
    author: str = ""
    category: str = ""
    category_slug: str = ""
    series: str = ""
    series_slug: str = ""
    tag_names: list[str] = field(default_factory=list)
    summary: str = ""
    image: str = ""
    body: str = ""
    text: str = ""
    toc: list[dict[str, Any]] = field(default_factory=list)
    links: list[dict[str, Any]] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)
    minutes: int = 1
    problems: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Rendered:
    """The outcome for one file; without draft it is broken, and `problems` say why."""

    source: SourceFile
    draft: Draft | None
    aliases: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@cache
def signature() -> str:
    """Changes whenever the same file might be rendered otherwise: other code, other libraries."""
    digest = hashlib.sha1(usedforsecurity=False)
    for name in MODULES:
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    for library in LIBRARIES:
        digest.update(f"{library}={importlib.metadata.version(library)}".encode())
    return digest.hexdigest()[:16]


def render_all(folder: Folder, sources: Sequence[SourceFile], zone: tzinfo) -> Iterator[Rendered]:
    """Render the files, in their order; many of them on all cores."""
    is_main = threading.current_thread() is threading.main_thread()
    if len(sources) < FEW and is_main:
        yield from (render(folder, each, zone) for each in sources)
        return
    bare = type(folder)(folder.root)
    yield from processes.work_through(
        render_job, [(bare, each, zone) for each in sources], tell_of_lost
    )


def render_job(job: tuple[Folder, SourceFile, tzinfo]) -> Rendered:
    return render(*job)


def tell_of_lost(job: tuple[Folder, SourceFile, tzinfo]) -> Rendered:
    return Rendered(job[1], None, [], [Problem(1, "rendering it ended the process")])


def render(folder: Folder, each: SourceFile, zone: tzinfo) -> Rendered:
    """Render one file; whatever goes wrong with it is told, not raised."""
    import_parser(each.path)  # not on this post's time
    try:
        with time_limit(SECONDS_A_POST):
            text, companion = folder.read(each)
            original = originals.read_values(folder, each.base, read_fields) if each.base else {}
            rendered = compose(each, text, companion, original, zone)
            return complete(rendered, folder) if each.gallery else rendered
    except PostUnreadable as error:
        problem = Problem(1, str(error))
    except OSError as error:
        problem = Problem(1, f"it cannot be read: {error.strerror}")
    except headers.HeaderInvalid as error:
        problem = Problem(error.line, str(error))
    except TimeUp:
        problem = Problem(1, f"it takes over {SECONDS_A_POST:g} seconds to render. Split it.")
    except RecursionError:
        problem = Problem(1, "it is nested too deep (lists, quotes, brackets). Make it flatter.")
    except Exception as error:  # noqa: BLE001 - a parser that fails on one post must not stop the others
        problem = Problem(1, f"the parser failed on it: {type(error).__name__}: {error}")
    return Rendered(each, None, [], [problem])


def import_parser(path: str) -> Any:
    """Each of the two takes a tenth of a second to import, and an edit needs but one."""
    return import_module("posts.rst" if source.is_rst(path) else "posts.markdown")


def read_fields(body: str) -> dict[str, Any]:
    document: Document = import_parser("x.rst").render(body, has_title=True, first_line=1)
    return document.values


def compose(
    each: SourceFile, text: str, companion: str, original: Mapping[str, Any], zone: tzinfo
) -> Rendered:
    """Explicit metadata beats the file's name, which beats the first heading.

    `original` is what the file that this one translates says of itself.
    """
    if not text.strip() and not companion.strip() and not each.gallery:
        # Cut short by mistake, as likely as not: the last good version stays.
        raise PostUnreadable("it is empty. Write something, or delete it.")
    outer = headers.split_companion(companion) if companion else {}
    is_rst = source.is_rst(each.path)
    header = headers.split_rst(text) if is_rst else headers.split_markdown(text)
    has_title = "title" in outer or "title" in header.values
    body = header.body
    is_nikola = header.is_nikola or bool(outer)
    body, unknown = shortcodes.expand(
        body, is_rst=is_rst, first_line=header.body_line, is_nikola=is_nikola
    )
    parser = import_parser(each.path)
    document: Document = parser.render(body, has_title=has_title, first_line=header.body_line)
    own = {**document.values, **header.values, **outer}
    meta, complaints = originals.interpret(original, own)
    complaints += conventions.complain_of_name(each.path, meta)
    if header.is_pelican or (document.values and not header.values):
        conventions.take_category(each.path, meta)
    if header.is_pelican and not is_rst:
        meta.summary = parser.strip(meta.summary)
    if each.base or (is_nikola and each.has_siblings):
        conventions.take_language(each.path, meta)
    heading = document.title or metadata.one_line(original.get("title", ""))
    heading = metadata.cut("title", "" if meta.title else heading, complaints)
    html = conventions.show_link(meta.link) + document.html
    page = markup.finish(exhibits.frame(each.path, html) if each.gallery else html)
    problems = [Problem(line_of_value(text, complaint), complaint) for complaint in complaints]
    problems += [*header.problems, *unknown, *document.problems]
    draft = make_draft(each, meta, heading, page, zone)
    if not meta.summary and (teaser := markup.read_teaser(document.html)):
        draft.summary = reading.shorten(teaser, TEASER_COLUMNS)
    draft.links = locate_links(text, [*page.targets, *page.absolutes], draft.image)
    problems += find_lost_fragments(text, page)
    problems += choosing.find_problems(body, page.body, first_line=header.body_line, is_told=is_rst)
    is_undated = meta.has_unreadable_date or (
        not meta.date and conventions.has_false_day(each.path)
    )
    if is_undated and meta.status in metadata.PUBLIC:
        # It may be an embargo: better hidden by mistake, or the last good version kept.
        return Rendered(each, None, [], cut(sorted(set(problems))))
    problems = cut(sorted(set(problems)))
    draft.problems = [problem.as_json() for problem in problems]
    return Rendered(each, draft, meta.aliases, problems)


def complete(rendered: Rendered, folder: Folder) -> Rendered:
    """With what the pictures of the gallery add to its page."""
    gallery, draft = rendered.source.gallery, rendered.draft
    if gallery is None or draft is None:
        return rendered
    language = languages.split_path(rendered.source.path)[1]
    problems = captions.complete(draft, gallery, partial(folder.read_note, gallery), language)
    if rendered.source.base:
        # All else is told of the page that it translates.
        own = f"{gallery.folder}/{gallery.find_notes(language)[0]}"
        problems = [each for each in problems if each.file == own and language in own]
    else:
        rendered.aliases += galleries.addresses_of(gallery.folder)
    rendered.problems = sorted({*rendered.problems, *problems})
    draft.problems = [problem.as_json() for problem in rendered.problems]
    return rendered


def make_draft(
    each: SourceFile, meta: metadata.Metadata, heading: str, page: markup.Page, zone: tzinfo
) -> Draft:
    day, rest = conventions.split_name(each.base.path if each.base else each.path)
    moment = meta.date or (datetime(day.year, day.month, day.day) if day else None)
    dated_at = in_zone(moment, zone)
    published_at = None if conventions.is_page(each.path) else dated_at
    return Draft(
        title=meta.title or heading or conventions.name_untitled(each.path, rest),
        base_slug=meta.slug or metadata.clean_slug(rest) or "post",
        day=published_at.astimezone(zone).date() if published_at else None,
        published_at=published_at,
        revised_at=in_zone(meta.updated, zone) or (None if published_at else dated_at),
        status=meta.status,
        language=meta.lang or reading.guess_language(page.text),
        stated_language=meta.lang,
        is_translation=meta.is_translation,
        author=meta.author,
        category=meta.category,
        category_slug=reading.slugify(meta.category) if meta.category else "",
        series=meta.series,
        series_slug=reading.slugify(meta.series) if meta.series else "",
        tag_names=meta.tags,
        summary=reading.shorten(meta.summary or page.first_paragraph or page.text),
        image=meta.image,
        body=page.body,
        text=page.text,
        toc=markup.make_toc(page.headings),
        anchors=sorted(page.ids),
        minutes=0 if each.gallery and not page.text.strip() else reading.count_minutes(page.text),
    )


def in_zone(moment: datetime | None, zone: tzinfo) -> datetime | None:
    if moment is None or moment.tzinfo:
        return moment
    return moment.replace(tzinfo=zone)
