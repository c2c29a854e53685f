"""Where the links of posts lead, what stands in the place of their marks, and what is wrong."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote, unquote

from django.conf import settings

from posts import exhibits, links, listings, source
from posts.answers import Answers, address_of_list, digest_urls, is_visible
from posts.codes import MOST_A_POST, SECONDS_A_FILE, is_plain
from posts.exhibitions import Exhibitions, Guide, Halls
from posts.links import Found, Places
from posts.models import Post
from posts.placement import share_slugs
from posts.problems import Problem, cut
from posts.rendering import Rendered
from posts.sanitizing import OWN_IDS
from posts.source import Folder

# What stands for code and pictures.
NO_LINKS = (listings.CODE, exhibits.SHOWN)
STATES = {Post.Status.DRAFT: "it is a draft", Post.Status.PRIVATE: "it is private"}


def digest_places(
    rows: list[Post], folder: Folder, exhibitions: Exhibitions, coming: Collection[str]
) -> str:
    """Changes when a link may lead elsewhere, or what a post shows of others may be another.

    With files, with what addresses are made of, and when the time of one of the `coming` is there.
    """
    digest = hashlib.sha1(digest_urls().encode(), usedforsecurity=False)
    for row in rows:
        digest.update(
            f"{row.path}\0{row.day}\0{row.base_slug}\0{row.slug}\0{row.original}\n".encode()
        )
    digest.update("\n".join(sorted(folder.files)).encode())
    digest.update("\n".join(sorted(coming)).encode())
    for path, code in sorted(folder.codes.items()):
        digest.update(f"\n{path}\0{code}".encode())
    digest.update(exhibitions.digest_missing(folder).encode())
    for path, gallery in folder.galleries.items():
        digest.update(f"\n{path}\0{gallery.digest}".encode())
    return digest.hexdigest()


class Addresses(Mapping[str, str]):
    """Addresses of posts by path, each made when it is asked for: an edit asks for a few."""

    def __init__(self, rows: Mapping[str, Post]) -> None:
        self.rows = rows

    def __getitem__(self, path: str) -> str:
        return self.rows[path].get_absolute_url()

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def set_links(
    linked: list[Post],
    rows: list[Post],
    answers: Answers,
    load_anchors: Callable[[list[Post]], None] = lambda posts: None,
) -> set[Post]:
    """Set urls and site_problems of the posts `linked`; return those in which that changed any.

    `load_anchors` is asked once to fetch what parts and titles the posts have that links name.
    """
    if not linked:
        return set()
    shared = share_slugs(rows)
    by_path = {row.path: row for row in rows}
    places = Places(
        addresses=Addresses(by_path),
        files=answers.files,
        list_address=address_of_list,
        file_address=address_of_file,
        site_url=settings.SITE_URL,
    )
    for row in linked:
        answers.codes.remember(row.urls)
        answers.exhibitions.remember(row.urls)
    found = {row.path: [find(each["target"], row, places, answers) for each in row.links]
             for row in linked}  # fmt: skip
    parts = {one.post for each in found.values() for one in each
             if one and (one.fragment or one.is_title)}  # fmt: skip
    halls = Halls(rows)
    parts |= halls.list_around(linked)
    guide = Guide(answers.exhibitions, answers.folder, halls)
    load_anchors([by_path[path] for path in sorted(parts) if path])
    return {
        row
        for row in linked
        if link(row, found[row.path], by_path, answers, guide, shared.get(row.path, []))
    }


def keep_own_links(rendered: Rendered) -> Rendered:
    """Of the absolute links only those to this site lead anywhere that can change."""
    draft = rendered.draft
    if draft is not None:
        picture = draft.links[-1:] if draft.image else []
        draft.links = [
            each
            for each in draft.links[: len(draft.links) - len(picture)]
            if links.is_local(each["target"]) or links.is_own(each["target"], settings.SITE_URL)
        ] + picture
    return rendered


def find(target: str, row: Post, places: Places, answers: Answers) -> Found | None:
    if target.startswith(NO_LINKS):
        return None  # Code stands there, and leads nowhere.
    found = places.resolve(target, row.path)
    if found and found.path and (post := answers.find_post(found.path)):
        return replace(found, post=post)
    return found


def complain_of_link(
    target: str, found: Found | None, row: Post, by_path: Mapping[str, Post], answers: Answers
) -> str:
    """What is wrong with the link, in words; "" when visitors get where it says."""
    if target.startswith((links.TITLE, *NO_LINKS)):
        return ""
    if found is None:
        return f"the link {target} leads nowhere"
    if found.post:
        other = by_path[found.post]
        if is_visible(row) and not is_visible(other):
            words = f"the link {target} leads to {other.path}, which visitors cannot open"
            return f"{words}: {STATES[Post.Status(other.status)]}"
        if found.fragment and not has_part(other, found.fragment):
            return f"the link {target} leads to no heading of {other.path}"
        return ""
    if not found.path or answers.has(found.path) or answers.will_have(row, found.path):
        return ""
    return f"the link {target} leads nowhere"


def has_part(post: Post, fragment: str) -> bool:
    """One of its own, one of the frame around every post, or words to look for."""
    return fragment in ("top", *post.anchors) or fragment.startswith((OWN_IDS, ":~:"))


def show(target: str, found: Found | None, by_path: Mapping[str, Post], answers: Answers) -> str:
    """What stands in a mark's place: an address, or the title of the post there.

    Of a post whose time has not come its name alone, until the index is run after that.
    """
    if not target.startswith(links.TITLE):
        return found.url if found else target
    other = by_path[found.post] if found and found.post else None
    if other is None or not is_visible(other) or other.path in answers.coming:
        return unquote(target.removeprefix(links.TITLE))
    return other.title


def show_code(target: str, row: Post, number: int, answers: Answers) -> tuple[str, str]:
    """The code in the place of the post's mark, counted from 0, and what is wrong, in words."""
    name = listings.read_target(target).get("name", "")
    if number >= MOST_A_POST:
        complaint = f"{name} is left out: a post shows {MOST_A_POST} files of code at most"
        return listings.show_name(target), complaint
    html = answers.show_code(target, row.path)
    if html is None:
        size = source.MAX_CODE_BYTES // 1024
        complaint = f"{name} is no text of {size} KB at most in a folder called listings or code"
        return listings.show_name(target), complaint
    slow = f"{name} has no colours: they take over {SECONDS_A_FILE:g} seconds. Show less of it."
    return html, slow if is_plain(html) else ""


def link(
    row: Post,
    found: list[Found | None],
    by_path: Mapping[str, Post],
    answers: Answers,
    guide: Guide,
    rivals: list[str],
) -> bool:
    """Keep what was found for the row's links; whether that changed anything.

    Of a broken file they are those of its last good version, in which nothing can be mended.
    """
    if not row.links and not rivals and not row.urls and not row.site_problems:
        return False
    urls: list[str] = []
    problems: list[Problem] = []
    codes = shown = 0
    for each, one in zip(row.links, found, strict=True):
        target = each["target"]
        if target.startswith(listings.CODE):
            url, complaint = show_code(target, row, codes, answers)
            codes += 1
        elif target.startswith(exhibits.SHOWN):
            url, complaint, complaints = guide.show(target, row, shown)
            problems += complaints
            shown += 1
        else:
            url = show(target, one, by_path, answers)
            complaint = complain_of_link(unquote(target), one, row, by_path, answers)
        if complaint:
            problems.append(Problem(each["line"], source.make_fit(complaint)))
        urls.append(fit(url, target))
    for rival in rivals:
        problems.append(
            Problem(
                1, f"{rival} has the same date and name; this one is at {row.get_absolute_url()}"
            )
        )
    told = [] if row.is_broken else [each.as_json() for each in cut(sorted(set(problems)))]
    is_changed = bool(urls != row.urls or told != row.site_problems)
    row.urls, row.site_problems = urls, told
    return is_changed


def fit(url: str, target: str) -> str:
    """What a row can hold; only what was made may begin as that does."""
    made = links.MADE if target.startswith(NO_LINKS) and url.startswith(links.MADE) else ""
    return made + source.make_fit(url.removeprefix(made))


def address_of_file(path: str) -> str:
    return f"/files/{quote(path)}"
