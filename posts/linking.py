"""Where the links of posts lead, what stands in the place of their marks, and what is wrong."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote, unquote

from django.conf import settings

from posts import links, listings, source
from posts.answers import Answers, address_of_list, digest_urls, is_visible
from posts.links import Found, Places
from posts.models import Post
from posts.placement import share_slugs
from posts.problems import Problem
from posts.rendering import Rendered
from posts.sanitizing import OWN_IDS
from posts.source import Folder

STATES = {Post.Status.DRAFT: "it is a draft", Post.Status.PRIVATE: "it is private"}


def digest_places(rows: list[Post], folder: Folder) -> str:
    """Changes when a link may lead elsewhere, or code that a post shows may be another.

    With files, and with what addresses are made of.
    """
    digest = hashlib.sha1(digest_urls().encode(), usedforsecurity=False)
    for row in rows:
        digest.update(
            f"{row.path}\0{row.day}\0{row.base_slug}\0{row.slug}\0{row.original}\n".encode()
        )
    digest.update("\n".join(sorted(folder.files)).encode())
    for path, code in sorted(folder.codes.items()):
        digest.update(f"\n{path}\0{code}".encode())
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
    found = {row.path: [find(each["target"], row, places, answers) for each in row.links]
             for row in linked}  # fmt: skip
    parts = {one.post for each in found.values() for one in each
             if one and (one.fragment or one.is_title)}  # fmt: skip
    load_anchors([by_path[path] for path in sorted(parts) if path])
    return {
        row
        for row in linked
        if link(row, found[row.path], by_path, answers, shared.get(row.path, []))
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
    if target.startswith(listings.CODE):
        path = listings.find_file(target, row.path, answers.codes)
        return Found("", path=path) if path else None
    found = places.resolve(target, row.path)
    if found and found.path and (post := answers.find_post(found.path)):
        return replace(found, post=post)
    return found


def complain_of_link(
    target: str, found: Found | None, row: Post, by_path: Mapping[str, Post], answers: Answers
) -> str:
    """What is wrong with the link, in words; "" when visitors get where it says."""
    if target.startswith(links.TITLE):
        return ""
    if target.startswith(listings.CODE):
        is_there = found is not None and answers.read_code(found.path) is not None
        return "" if is_there else complain_of_code(target)
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


def complain_of_code(target: str) -> str:
    name = listings.read_target(target).get("name", "")
    size = source.MAX_CODE_BYTES // 1024
    return f"{name} is no text of {size} KB at most in a folder called listings or code"


def show(target: str, found: Found | None, by_path: Mapping[str, Post], answers: Answers) -> str:
    """What stands in a mark's place: an address, the title of the post there, a file's code."""
    if target.startswith(listings.CODE):
        return listings.show(target, answers.read_code(found.path) if found else None)
    if not target.startswith(links.TITLE):
        return found.url if found else target
    other = by_path[found.post] if found and found.post else None
    if other is None or not is_visible(other):
        return source.make_fit(unquote(target.removeprefix(links.TITLE)))
    return other.title


def link(
    row: Post,
    found: list[Found | None],
    by_path: Mapping[str, Post],
    answers: Answers,
    rivals: list[str],
) -> bool:
    """Keep what was found for the row's links; whether that changed anything.

    Of a broken file they are those of its last good version, in which nothing can be mended.
    """
    if not row.links and not rivals and not row.urls and not row.site_problems:
        return False
    urls, problems = [], []
    for each, one in zip(row.links, found, strict=True):
        complaint = complain_of_link(unquote(each["target"]), one, row, by_path, answers)
        if complaint:
            problems.append(Problem(each["line"], complaint))
        urls.append(show(each["target"], one, by_path, answers))
    for rival in rivals:
        problems.append(
            Problem(
                1, f"{rival} has the same date and name; this one is at {row.get_absolute_url()}"
            )
        )
    told = [] if row.is_broken else [problem.as_json() for problem in sorted(set(problems))]
    is_changed = bool(urls != row.urls or told != row.site_problems)
    row.urls, row.site_problems = urls, told
    return is_changed


def address_of_file(path: str) -> str:
    return f"/files/{quote(path)}"
