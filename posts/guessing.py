"""What a visitor may have meant by an address that leads nowhere: an older or a mistyped one."""

import re
from difflib import SequenceMatcher
from posixpath import dirname
from typing import Any
from unicodedata import combining, normalize
from urllib.parse import quote, unquote

from django.conf import settings
from django.db.models import BooleanField, Case, IntegerField, Q, Value, When
from django.http import Http404
from django.urls import reverse

from posts import files, galleries, groups, reading, search, source
from posts.conventions import within_top
from posts.groups import AUTHOR, CATEGORY, LANGUAGE, TAG, Kind
from posts.links import MARKUP_ENDS
from posts.models import Address, Post, PostQuerySet

MOST_OFFERED = 5
MOST_NEAR = 40
MOST_WORDS = 6
MOST_PARTS = 16
# How alike words must be on average to be taken for the same, mistyped.
ALIKE = 0.79

CONTROLS = re.compile("[\x00-\x1f\x7f]+")
YEAR = "/archive/{}/"
# Nikola's of a picture made small.
SMALL = re.compile(r"\.thumbnail(?=\.[A-Za-z]+$)")
# A gallery that was there once; what is there now has the address itself.
GALLERY = re.compile(rf"/({galleries.TOP}/.+?)(?:/index\.html|/)")
CODE = "[a-z]{2,3}(?:[-_][A-Za-z]{2,4})?"
# Where Pelican, Nikola, Jekyll, Hugo and WordPress have what is elsewhere here.
ELSEWHERE: list[tuple[re.Pattern[str], str | tuple[Kind, ...]]] = [
    (re.compile(r"/(?:rss|feed|index)\.(?:xml|rss)|/feeds/all(?:-[\w-]+)?\.rss\.xml"), "/rss/"),
    (
        re.compile(r"/atom\.xml|/feed\.atom|/index\.atom|/feeds/all(?:-[\w-]+)?\.atom\.xml"),
        "/feed/",
    ),
    (re.compile(r"/archives?(?:/index)?(?:\.html)?/?"), "/archive/"),
    (re.compile(r"/(?:tags|categories)(?:/index)?\.html|/categories/?"), "/tags/"),
    (re.compile(r"/(?:posts/)?([0-9]{4})(?:/[0-9]{2}){0,2}(?:/index\.html|\.html|/)?"), YEAR),
    (re.compile(r"/tags?/([^/]+?)(?:/index)?\.html|/tag/([^/]+)/?"), (TAG,)),
    # What Nikola has before their names, where tags are too.
    (re.compile(r"/categories/cat_([^/]+?)(?:/index)?\.html"), (CATEGORY,)),
    (re.compile(r"/categories/(?!cat_)([^/]+?)(?:/index)?\.html"), (CATEGORY, TAG)),
    (re.compile(r"/category/([^/]+?)(?:(?:/index)?\.html|/)?"), (CATEGORY,)),
    (re.compile(r"/authors?/([^/]+?)(?:/index)?\.html|/author/([^/]+)/?"), (AUTHOR,)),
    (re.compile(rf"/({CODE})(?:/index\.html|/)"), (LANGUAGE,)),
    (re.compile(r"/index\.html?"), "/"),
]
# And feeds of some posts alone; Pelican has no others with these names.
FEEDS = [
    (re.compile(r"/categories/cat_([^/]+?)\.(xml|atom)"), (CATEGORY,)),
    (re.compile(r"/categories/(?!cat_)([^/]+?)\.(xml|atom)"), (TAG, CATEGORY)),
    (re.compile(r"/authors/([^/]+?)\.(xml|atom)"), (AUTHOR,)),
    (re.compile(rf"/feeds/all-({CODE})\.(rss|atom)\.xml"), (LANGUAGE,)),
    (re.compile(rf"/({CODE})/(?:rss|feed|index)\.(xml|atom)"), (LANGUAGE,)),
    (re.compile(r"/feeds/(?!all(?:-[\w-]+)?\.)([^/]+?)\.(rss|atom)\.xml"), (CATEGORY, AUTHOR, TAG)),
]
# Below these is another kind of page, or a post as we show it: one of the same name is not meant.
OTHER_KINDS = re.compile(
    r"/(?:tags?|categor(?:y|ies)|series|authors?|languages|archive|search|feeds?|rss|files|drafts|articles)/"
    r"|/(?:[0-9]{4}/[0-9]{2}/[0-9]{2}|pages)/[^/]+/?$(?<!\.html)"
)


def find_elsewhere(path: str) -> str | None:
    """The address here of what other tools show at that path, if there is such a thing now.

    Those tools have nothing else there, so it is certain, and may be a permanent redirect.
    """
    if "\0" in path:  # which PostgreSQL does not take
        return None
    if found := GALLERY.fullmatch(path):
        once = f"/pages/{quote(galleries.slug_of(found[1]))}/"
        known = Address.objects.filter(address=once, post__in=Post.objects.shown())
        return once if known.exists() else None
    if file := find_file(path[1:]):
        return reverse("posts:file", args=[file])
    for pattern, kinds in FEEDS:
        if (found := pattern.fullmatch(path)) and (page := find_list(kinds, found[1])):
            return f"{page}{'feed' if found[2] == 'atom' else 'rss'}/"
    for pattern, place in ELSEWHERE:
        if found := pattern.fullmatch(path):
            name = next((each for each in found.groups() if each), "")
            made = find_list(place, name)
            return made if made != path else None
    return None


def find_file(path: str) -> str | None:
    """Where the file lies that was at this path of the older site."""
    there = (each for each in list_places(path) if files.find_file(settings.POSTS_DIR, each))
    return next(there, None)


def list_places(path: str) -> list[str]:
    """Where a file of the older site may lie; of a small picture the large one."""
    return [top + name for name in (path, SMALL.sub("", path)) for top in source.TOPS]


def is_always_there(path: str) -> bool:
    """Whether another tool has something at the path that every blog here has."""
    return any(
        isinstance(place, str) and place != YEAR and pattern.fullmatch(path)
        for pattern, place in ELSEWHERE
    )


def find_list(place: str | tuple[Kind, ...], name: str) -> str | None:
    """One query at most; None for a list that has no posts."""
    if isinstance(place, tuple):
        try:
            return groups.find_group(name, *place).address
        except Http404:
            return None
    if place is not YEAR:
        return place
    is_there = int(name) and Post.objects.published().filter(day__year=int(name)).exists()
    return YEAR.format(name) if is_there else None


def read_name(path: str) -> str:
    """What a post at the path would be called: its last part without endings."""
    plain = re.sub(r"/index\.html?$", "", path).rstrip("/").rpartition("/")[2]
    plain = re.sub(r"\.html?$", "", plain)
    return CONTROLS.sub(" ", MARKUP_ENDS.sub("", plain))


def find_query(name: str) -> str:
    """The words of the name, for the search."""
    parts = re.split(r"[\s_.-]+", name)
    return " ".join(part for part in parts if part and not part.isdecimal())[:100]


def guess(path: str, name: str) -> tuple[str | None, list[Post]]:
    """The address of the only post of that name, if there is one, and posts to offer; in one query.

    Another post may come to have the name, so the address is for a temporary redirect.
    """
    query = find_query(name)
    names = [f"{name}-{code}".lower() for code in find_codes(path)] + [name.lower()]
    words = search.pick_words(query)
    parts = list(dict.fromkeys(word[at : at + 3] for word in words for at in range(len(word) - 2)))
    posts = Post.objects.listed()
    is_same = Q(*[Q(slug__iexact=each) for each in names], _connector=Q.OR)
    is_same |= Q(title__iexact=" ".join(re.split(r"[\s_-]+", name)))
    is_exact, score = (
        search.likeness(posts, words, everywhere=True) if words else (is_same, Value(0))
    )
    is_near, nearness = nearly(posts, parts[:MOST_PARTS]) if parts else (is_same, Value(0))
    found: Any = (
        posts.for_lists()
        .annotate(score=score, nearness=nearness)
        .filter(is_same | is_exact | is_near)
        .annotate(is_exact=Case(
            When(is_same | is_exact, then=Value(True)), default=Value(False),
            output_field=BooleanField(),
        ))
        # One of that name is not to be lost behind those that hold its words.
        .order_by(Case(When(is_same, then=Value(0)), default=Value(1)),
                  "-is_exact", "-score", "-nearness", "-published_at", "path")
    )  # fmt: skip
    rows = list(found[:MOST_NEAR]) if name else []
    is_meant = not OTHER_KINDS.match(path)
    same = find_same(rows, names, read_folder(path))
    marks = {each: measure(words[:MOST_WORDS], each) for each in rows if not each.is_exact}
    near = sorted((each for each in marks if marks[each] >= ALIKE), key=lambda each: -marks[each])
    exact = [each for each in rows if each.is_exact]
    meant = same.get_absolute_url() if same and is_meant else None
    return meant, [*exact, *near][:MOST_OFFERED]


def find_codes(path: str) -> list[str]:
    """The language in front, where Nikola has translations (`/zh_tw/posts/a/`), as slugs end."""
    found = re.match(rf"/({CODE})/.", path)
    return [found[1].replace("_", "-")] if found else []


def find_same(rows: list[Post], names: list[str], folder: str) -> Post | None:
    """The only one that is called by the first of the names by which any is.

    Of several the only one whose file lies in the folder, of which Nikola makes addresses. Last
    comes the title, of which Pelican does.
    """
    by_slug = [[each for each in rows if each.slug.lower() == name] for name in names]
    by_title = [each for each in rows if names[-1] in name_by_title(each.title)]
    found = next(filter(None, (*by_slug, by_title)), [])
    if len(found) > 1:
        found = [each for each in found if dirname(within_top(each.path)) == folder]
    return found[0] if len(found) == 1 else None


def read_folder(path: str) -> str:
    """The one that an address of Nikola's names."""
    return dirname(re.sub(r"/index\.html?$", "", path).rstrip("/")).strip("/")


def name_by_title(title: str) -> tuple[str, str]:
    """As slugs are made here, and as Pelican and Nikola do: without punctuation and accents.

    https://docs.getpelican.com/en/stable/settings.html (SLUG_REGEX_SUBSTITUTIONS)
    """
    letters = normalize("NFKD", title.casefold())
    plain = re.sub(r"[^\w\s-]", "", "".join(each for each in letters if not combining(each)))
    return reading.slugify(title), re.sub(r"[-\s]+", "-", plain.strip())


def nearly(posts: PostQuerySet, parts: list[str]) -> tuple[Q, Any]:
    """Posts whose address holds half of the pieces of a word, or whose title holds some."""
    one = [Case(When(slug__icontains=part, then=Value(1)), default=Value(0)) for part in parts]
    nearness: Any = sum(one, Value(0, output_field=IntegerField()))
    alike = Q(nearness__gte=max(1, len(parts) // 2))
    if search.is_sqlite():
        wanted = " OR ".join(f'"{part}"' for part in parts)
        found = search.match_best(posts, f"{{title}} : ({wanted})")
        return alike | Q(search_key__in=found), nearness
    return alike | Q(*[Q(title__icontains=part) for part in parts], _connector=Q.OR), nearness


def measure(words: list[str], post: Post) -> float:
    """From 0 to 1, how near the words are to some of the post's title and address."""
    others = search.WORD.findall(f"{post.title} {unquote(post.slug)}".lower())
    best = [max((compare(word, other) for other in others), default=0) for word in words]
    return sum(best) / max(1, len(best))


def compare(word: str, other: str) -> float:
    return SequenceMatcher(None, word, other).ratio()
