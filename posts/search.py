"""Finding posts by their words: SQLite's FTS5 with trigrams, or PostgreSQL's own search."""

import re
from collections.abc import Iterable
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db import connection
from django.db.models import Case, IntegerField, Q, Value, When
from django.db.models.expressions import RawSQL

from posts.models import Post, PostQuerySet

MAX_TERMS = 8
MAX_FOUND = 100
SHORTEST_TRIGRAM = 3

MAX_WORDS = 12
EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
WORD = re.compile(f"{EAST_ASIAN.pattern}|(?:(?!{EAST_ASIAN.pattern})[^\\W_])+[+#]*")
# Of no use for telling what a text is about.
SMALL_WORDS = frozenset(
    "about all and are but can for from had has have her his how html into its not now off our out "
    "php rst the that their them then there these they this use using was what when where which "
    "who why will with you your aspx index".split()
)
RESEMBLING = (
    "SELECT rowid FROM posts_search WHERE posts_search MATCH %s"
    " ORDER BY bm25(posts_search, 10.0, 1.0) LIMIT 40"
)


def is_sqlite() -> bool:
    return connection.vendor == "sqlite"


def store(posts: Iterable[Post]) -> None:
    """Make the posts findable as they are now. To be called in the transaction that saves them."""
    if is_sqlite():
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT OR REPLACE INTO posts_search (rowid, title, text) VALUES (%s, %s, %s)",
                [(post.pk, post.title, post.text) for post in posts],
            )


def forget(ids: Iterable[int]) -> None:
    if is_sqlite():
        with connection.cursor() as cursor:
            cursor.executemany(
                "DELETE FROM posts_search WHERE rowid = %s", [(each,) for each in ids]
            )


def split_terms(query: str) -> list[str]:
    """Words, and phrases in quotation marks, the first few of them."""
    found = re.findall(r'["“]([^"”]+)["”]|([^\s"“”]+)', query.replace("\0", "")[:200])
    return [(phrase or word).strip() for phrase, word in found if (phrase or word).strip()][
        :MAX_TERMS
    ]


def find(query: str) -> list[Post]:
    """Posts and pages that hold every term, best first, MAX_FOUND at most."""
    terms = split_terms(query)
    if not terms:
        return []
    posts = Post.objects.listed().defer("body", "toc", "links", "problems")
    return find_in_sqlite(posts, terms) if is_sqlite() else find_in_postgresql(posts, terms)


def pick_words(text: str) -> list[str]:
    """What a title or an address is about, the first few words of it, in lower case.

    Chinese has no spaces: of it, every three characters that stand together.
    """
    words: list[str] = []
    for word in WORD.findall(text.lower()):
        if EAST_ASIAN.match(word):
            words += [word[at : at + 3] for at in range(max(1, len(word) - 2))][: len(word) - 1]
        elif len(word) > 2 and not word.isdecimal():
            words.append(word)
    return [word for word in dict.fromkeys(words) if word not in SMALL_WORDS][:MAX_WORDS]


def resemble(posts: PostQuerySet, words: list[str]) -> PostQuerySet:
    """Of the posts those whose title holds any of the words (from pick_words; one at least).

    Those that hold most stand first.
    """
    alike, score = likeness(words)
    found_posts = posts.filter(alike).annotate(score=score)
    return found_posts.order_by("-score", "-published_at", "path")


def likeness(words: list[str], *, everywhere: bool = False) -> tuple[Q, Any]:
    """Whether a post holds any of the words, and how many of them.

    `everywhere` counts the address too and, on SQLite, the text.
    """
    alike = [Q(title__icontains=word) for word in words]
    longer = [f'"{word}"' for word in words if len(word) >= SHORTEST_TRIGRAM]
    if is_sqlite() and longer:
        columns = "{title text}" if everywhere else "{title}"
        found = RawSQL(RESEMBLING, [f"{columns} : ({' OR '.join(longer)})"])  # noqa: S611 - no text of others in the SQL
        shorter = [Q(title__icontains=word) for word in words if len(word) < SHORTEST_TRIGRAM]
        alike = [Q(pk__in=found), *shorter]
    in_title = [
        Case(When(title__icontains=word, then=Value(1)), default=Value(0)) for word in words
    ]
    in_slug = [Case(When(slug__icontains=word, then=Value(1)), default=Value(0)) for word in words]
    if everywhere:
        alike += [Q(slug__icontains=word) for word in words]
    score: Any = sum([*in_title, *in_slug] if everywhere else in_title)
    return Q(*alike, _connector=Q.OR), score


def find_in_sqlite(posts: PostQuerySet, terms: list[str]) -> list[Post]:
    """Trigrams need three characters: shorter terms, common in Chinese, are looked for by LIKE."""
    for term in terms:
        if len(term) < SHORTEST_TRIGRAM:
            posts = posts.filter(contains(term))
    phrases = " AND ".join(f'"{term}"' for term in terms if len(term) >= SHORTEST_TRIGRAM)
    if not phrases:
        return list(
            with_title_first(posts, terms).order_by("rank", "-published_at", "pk")[:MAX_FOUND]
        )
    # One query: the page of what is missing has none to spare.
    found = posts.extra(
        tables=["posts_search"],
        where=["posts_search.rowid = posts_post.id", "posts_search MATCH %s"],
        params=[phrases],
        select={"score": "bm25(posts_search, 10.0, 1.0)"},
        order_by=["score", "-id"],
    )
    return list(found[:MAX_FOUND])


def find_in_postgresql(posts: PostQuerySet, terms: list[str]) -> list[Post]:
    """Ranked by whole words; found by characters too, since Chinese has no spaces."""
    vector = SearchVector("title", weight="A", config="simple") + SearchVector(
        "text", weight="D", config="simple"
    )
    for term in terms:
        posts = posts.filter(contains(term))
    score = SearchRank(vector, SearchQuery(" ".join(terms), config="simple"))
    ranked = with_title_first(posts, terms).annotate(score=score)
    return list(ranked.order_by("rank", "-score", "-published_at", "pk")[:MAX_FOUND])


def contains(term: str) -> Q:
    return Q(title__icontains=term) | Q(text__icontains=term)


def with_title_first(posts: PostQuerySet, terms: list[str]) -> Any:
    """Annotate `rank`: 0 where the title holds every term, else 1."""
    in_title = Q(*[Q(title__icontains=term) for term in terms])
    return posts.annotate(
        rank=Case(When(in_title, then=Value(0)), default=Value(1), output_field=IntegerField())
    )


def excerpt(text: str, terms: list[str]) -> list[tuple[str, bool]]:
    """The neighbourhood of the first hit, in pieces: (piece, whether it is a term)."""
    pattern = re.compile("|".join(map(re.escape, terms)), re.IGNORECASE)
    hit = pattern.search(text)
    start = max(0, hit.start() - 60) if hit else 0
    part = " ".join(text[start : start + 220].split())
    if start:
        part = "…" + part
    pieces = re.split(f"({pattern.pattern})", part + "…", flags=re.IGNORECASE)
    return [(piece, number % 2 == 1) for number, piece in enumerate(pieces) if piece]
