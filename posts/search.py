"""Finding posts by their words: SQLite's FTS5 with trigrams, or PostgreSQL's own search.

SQLite takes milliseconds to make one text findable: too long for thousands of them in the one
transaction in which posts change, which nobody else could write meanwhile. So what it searches is
kept by content. It may come before the rows that lead to it, and go after them.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha1
from typing import Any, TypeVar

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db import connection, transaction
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL

from posts import reading
from posts.models import Post, PostQuerySet

Item = TypeVar("Item")

# So many characters at once, then a pause in which those who wait to write come to it: SQLite asks
# again after a tenth of a second at most.
PIECE = 300_000
PAUSE = 0.12

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
# Enough to choose the few from that a page has room for.
MOST_ALIKE = 40


def is_sqlite() -> bool:
    return connection.vendor == "sqlite"


def key_of(title: str, text: str) -> int:
    digest = sha1(f"{title}\0{text}".encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def prepare(entries: Iterable[tuple[str, str]]) -> None:
    """Make texts, each with its title, findable before any row leads there. Takes its time."""
    if not is_sqlite():
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM posts_search_docsize")
        known = {key for (key,) in cursor.fetchall()}
    found = ((key_of(title, text), title, text) for title, text in entries)
    fresh = (entry for entry in found if entry[0] not in known)
    for piece in cut(fresh, lambda entry: len(entry[2])):
        with transaction.atomic():
            insert(piece)


def store(posts: Iterable[Post]) -> None:
    """Make the posts findable as they are now. To be called in the transaction that saves them.

    Of what was prepared nothing is left to do, unless another run has swept it away.
    """
    if is_sqlite():
        insert([(key_of(post.title, post.text), post.title, post.text) for post in posts])


def cut(items: Iterable[Item], size_of: Callable[[Item], int]) -> Iterator[list[Item]]:
    """In pieces that are dealt with in a fraction of a second, with a pause after each."""
    piece: list[Item] = []
    size = 0
    for item in items:
        if size > PIECE:
            yield piece
            time.sleep(PAUSE)
            piece, size = [], 0
        piece.append(item)
        size += size_of(item)
    if piece:
        yield piece


def insert(entries: list[tuple[int, str, str]]) -> None:
    """In the order of their keys: FTS5 writes all that it has gathered whenever one goes back."""
    with connection.cursor() as cursor:
        keys = ", ".join(str(key) for key, *_ in entries)
        cursor.execute(f"SELECT id FROM posts_search_docsize WHERE id IN ({keys})")  # noqa: S608 - numbers
        known = {key for (key,) in cursor.fetchall()}
        fresh = sorted({entry for entry in entries if entry[0] not in known})
        cursor.executemany(
            "INSERT INTO posts_search (rowid, title, text) VALUES (%s, %s, %s)", fresh
        )


def sweep() -> None:
    """Forget what no row leads to any more. Takes its time."""
    if not is_sqlite():
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, length(c0) + length(c1) FROM posts_search_content WHERE id IN ("
            " SELECT id FROM posts_search_docsize"
            " EXCEPT SELECT search_key FROM posts_post) ORDER BY id"
        )
        lost = cursor.fetchall()
    for piece in cut(lost, lambda each: each[1]):
        with transaction.atomic(), connection.cursor() as cursor:
            # Another run may have come to want it.
            cursor.executemany(
                "DELETE FROM posts_search WHERE rowid = %s"
                " AND NOT EXISTS (SELECT 1 FROM posts_post WHERE search_key = %s)",
                [(key, key) for key, _ in piece],
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
    alike, score = likeness(posts, words)
    found_posts = posts.filter(alike).annotate(score=score)
    return found_posts.order_by("-score", "-published_at", "path")


def likeness(posts: PostQuerySet, words: list[str], *, everywhere: bool = False) -> tuple[Q, Any]:
    """Whether one of the posts holds any of the words, and how many of them.

    `everywhere` counts the address too and, on SQLite, the text.
    """
    alike = [Q(title__icontains=word) for word in words]
    longer = [f'"{word}"' for word in words if len(word) >= SHORTEST_TRIGRAM]
    if is_sqlite() and longer:
        columns = "{title text}" if everywhere else "{title}"
        found = match_best(posts, f"{columns} : ({' OR '.join(longer)})")
        shorter = [Q(title__icontains=word) for word in words if len(word) < SHORTEST_TRIGRAM]
        alike = [Q(search_key__in=found), *shorter]
    in_title = [
        Case(When(title__icontains=word, then=Value(1)), default=Value(0)) for word in words
    ]
    in_slug = [Case(When(slug__icontains=word, then=Value(1)), default=Value(0)) for word in words]
    if everywhere:
        alike += [Q(slug__icontains=word) for word in words]
    score: Any = sum([*in_title, *in_slug] if everywhere else in_title)
    return Q(*alike, _connector=Q.OR), score


def match_best(posts: PostQuerySet, wanted: str) -> RawSQL:
    """Under which the best of the posts are searched; no others, which would crowd these out.

    The query stands within another with its SQL, because `extra` would take the outer one's table.
    """
    best = match(posts, wanted).values("search_key")[:MOST_ALIKE]
    return RawSQL(*best.query.sql_with_params())  # noqa: S611 - Django's own SQL


def match(posts: PostQuerySet, wanted: str) -> QuerySet[Post]:
    """Those that FTS5 finds, best first."""
    return posts.extra(
        tables=["posts_search"],
        where=["posts_search.rowid = posts_post.search_key", "posts_search MATCH %s"],
        params=[wanted],
        select={"score": "bm25(posts_search, 10.0, 1.0)"},
        order_by=["score", "-id"],
    )


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
    return list(match(posts, phrases)[:MAX_FOUND])


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
    text = reading.without_groups(text)
    pattern = re.compile("|".join(map(re.escape, terms)), re.IGNORECASE)
    hit = pattern.search(text)
    start = max(0, hit.start() - 60) if hit else 0
    part = " ".join(text[start : start + 220].split())
    if start:
        part = "…" + part
    pieces = re.split(f"({pattern.pattern})", part + "…", flags=re.IGNORECASE)
    return [(piece, number % 2 == 1) for number, piece in enumerate(pieces) if piece]
