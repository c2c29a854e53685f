"""Whatever happens to the files, the rows are those that a full rebuild would give."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from posts import search
from posts.index import index_posts
from posts.models import Address, Post, Snapshot, Tag
from posts.runs import DRAFT_COLUMNS
from tests.posts.pictures import make_picture

PATHS = ("2016-01-01-a.md", "2016_01_01-a.rst", "sub/2016-01-02-b.md", "c.md", "2016-01-03-d.rst",
         "2016-01-01-a.en.md", "c.zh_cn.md", "2016-01-03-d.en.rst", "c.it.md")  # fmt: skip
FILES = ("img/p.png", "c.meta", "c.zh_cn.meta", "c.it.meta", "listings/h.py", "listings/h.py")
INDEXES = ("galleries/x/index.md", "galleries/x/index.rst", "galleries/x/index.en.md",
           "galleries/x/y/index.rst", "galleries/index.md")  # fmt: skip
PICTURES = ("galleries/x/1.png", "galleries/x/2.png", "galleries/x/y/1.png", "galleries/z/a.gif",
            "galleries/z/1.png")  # fmt: skip
NOTES = {
    "galleries/x/metadata.yml": [b"name: 2.png\ncaption: Two\norder: 0\n", b"name: [\n"],
    "galleries/x/metadata.en.yml": [b"name: 1.png\ncaption: One\n"],
    "galleries/x/exclude.meta": [b"2.png\n", b"gone.png\n"],
    "galleries/x/index.meta": [b".. title: Meta\n.. slug: meta\n"],
}
# More of them, with HYPOTHESIS_EXAMPLES=5000, find what is rarer.
EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "40"))
COLUMNS = [name for name in DRAFT_COLUMNS if name not in ("day", "base_slug")]
PLACED = ["path", "uid", "digest", "renderer", "day", "base_slug", "slug", "original",
          "precedence", "urls", "site_problems", "committed_at", "added_at", "is_broken",
          "is_rendered", "search_key"]  # fmt: skip

# Broken, though it begins as a good post does.
DEEP = "\n".join("  " * level + "x\n" for level in range(200))

DRAWN = [make_picture(), make_picture(color="red"), b"no picture"]

names = st.sampled_from(["one", "two", "分治"])
fields = st.fixed_dictionaries(
    {},
    optional={
        "slug": names,
        "date": st.sampled_from(["2016-01-01", "2017-05-05 10:00"]),
        "tags": st.lists(st.sampled_from(["x", "X", "机器 学习"]), max_size=2).map(", ".join),
        "series": names,
        "category": names,
        "author": st.sampled_from(["one", "one; two", "分治"]),
        "aliases": st.sampled_from(["/old/", "/older.html"]),
        "lang": st.sampled_from(["en", "zh_CN", "fr"]),
        "translation": st.just("true"),
        "status": st.sampled_from(["draft", "published", "hidden", "nonsense"]),
    },
)
TARGETS = [*PATHS, "img/p.png", "nowhere.md", "#gone",
           "http://127.0.0.1:8000/2016/01/01/two/#two", f"{PATHS[0]}#one", f"{PATHS[4]}#two",
           "{tag}x", "/tags/机器-学习/", "/categories/one/", "/series/two/", "/old/", "/older.html",
           "/2016/01/01/a-en/", "/2016/01/02/b/", "/2016/01/03/d/#one"]  # fmt: skip
# Links by title, and code in a file of its own.
MORE = {
    ".md": ["[one](<one>){.post-title}", "[x](<分治>){.post-title}",
            '<div data-code="name=h.py"></div>', "{{% gallery x/y %}}", "[g](/galleries/x/)",
            "[g](link://gallery/y)"],
    ".rst": [":doc:`one`", ":doc:`x <two>`", ".. listing:: h.py", ".. literalinclude:: h.py",
             ".. gallery:: x"],
}  # fmt: skip
bodies = st.lists(st.sampled_from(TARGETS), max_size=3).map(
    lambda targets: "\n\n".join(f"See [it]({each})." for each in targets)
)


@st.composite
def texts(draw, path: str) -> bytes:
    is_broken = draw(st.integers(0, 9)) == 0
    if is_broken and draw(st.booleans()):
        return draw(st.sampled_from([b"\xff\xfe", b"---\ntitle: [\n---\n"]))
    title, body = draw(names), draw(bodies)
    values = draw(fields)
    is_deep = is_broken and path.endswith(".rst") and draw(st.booleans())
    if is_broken and not is_deep:
        values["date"] = "some day"
    filler = f"Words about {draw(names)}.\n\n" * 4
    heading = draw(names)
    more = "\n\n".join(draw(st.lists(st.sampled_from(MORE[path[path.rindex(".") :]]), max_size=2)))
    if path.endswith(".rst"):
        head = "".join(f":{key}: {value}\n" for key, value in values.items())
        link = DEEP if is_deep else f"`x <{PATHS[0]}#one>`_\n"
        return (
            f"{title}\n========\n\n{head}\n{filler}{heading}\n------\n\n{link}\n{more}\n".encode()
        )
    head = "".join(f"{key}: {value}\n" for key, value in {"title": title, **values}.items())
    return f"{head}\n{filler}\n## {heading}\n\n{body}\n\n{more}\n".encode()


@st.composite
def steps(draw):
    kind = draw(st.sampled_from(["write", "write", "write", "remove", "rename", "rewind", "file",
                                 "file", "picture", "picture", "hang", "commit",
                                 "commit"]))  # fmt: skip
    if kind == "picture":
        return "file", draw(st.sampled_from(PICTURES)), draw(st.sampled_from(DRAWN))
    if kind == "hang":
        return draw(changes_of_galleries())
    path = draw(st.sampled_from(PATHS))
    if kind == "write":
        return kind, path, draw(texts(path))
    if kind == "rename":
        others = ["2018-08-08-e.md", "sub/f.md", "pages/2018-08-08-e.md", "content/pages/f.rst",
                  "posts/f.txt"]  # fmt: skip
        return kind, path, draw(st.sampled_from([*PATHS, *others]))
    if kind == "file":
        return (
            kind,
            draw(st.sampled_from(FILES)),
            draw(st.sampled_from([b"", b".. slug: meta\n", b"x = 1\n"])),
        )
    return kind, path, draw(st.integers(1, 3))


@st.composite
def changes_of_galleries(draw):
    kind = draw(st.sampled_from(["write", "note", "remove", "rename", "move"]))
    if kind == "write":
        path = draw(st.sampled_from(INDEXES))
        return kind, path, draw(texts(path))
    if kind == "note":
        path = draw(st.sampled_from(list(NOTES)))
        return "file", path, draw(st.sampled_from(NOTES[path]))
    if kind == "move":
        folder = st.sampled_from(["galleries/x", "galleries/z", "galleries/w", "galleries/x/y"])
        return "rename", draw(folder), draw(folder)
    path = draw(st.sampled_from([*PICTURES, *NOTES, *INDEXES]))
    return kind, path, draw(st.sampled_from([*PICTURES, *INDEXES]))


class Repository:
    """A folder of posts in git, its clock moving a minute with each commit."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="history-"))
        self.minutes = 0
        self.commits = 0
        self.pushed = 0
        self.is_rewritten = False
        self.git("init", "-q", "-b", "main")
        self.write("README.md", b"posts\n")
        self.commit()

    def git(self, *args: str) -> str:
        at = f"{1_500_000_000 + 60 * self.minutes} +0000"
        env = {**os.environ, "GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at,
               "GIT_CONFIG_GLOBAL": os.devnull}  # fmt: skip
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        done = subprocess.run(["git", *identity, *args], cwd=self.root, env=env, check=True,
                              capture_output=True, text=True)  # fmt: skip
        return done.stdout

    def write(self, path: str, content: bytes) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    def commit(self) -> None:
        self.minutes += 1
        self.commits += 1
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "x")

    def list_commits(self) -> list[str]:
        return self.git("rev-list", "--first-parent", "--reverse", "HEAD").split()

    def apply(self, kind: str, path: str, what) -> None:
        place = self.root / path
        if kind in ("write", "file"):
            self.write(path, what)
        elif kind == "remove":
            place.unlink(missing_ok=True)
        elif kind == "rename" and place.exists() and not is_in_the_way(self.root / what, place):
            (self.root / what).parent.mkdir(parents=True, exist_ok=True)
            place.rename(self.root / what)
        elif kind == "commit":
            self.commit()
        elif kind == "rewind":
            # A force push: the branch goes back, and on another way from there.
            self.commit()
            back = min(what, self.commits - 1)
            self.git("reset", "-q", "--hard", f"HEAD~{back}")
            self.commits -= back
            self.is_rewritten |= self.commits < self.pushed
            self.minutes += 10


def is_in_the_way(there: Path, place: Path) -> bool:
    """A folder goes nowhere where there is one, nor into itself."""
    return place.is_dir() and (there.exists() or there.is_relative_to(place))


def dump_post(post: Post) -> dict[str, object]:
    values = {name: getattr(post, name) for name in [*PLACED, *COLUMNS]}
    values["tags"] = sorted(post.tag_rows.values_list("name", "slug"))
    values["addresses"] = sorted(post.addresses.values_list("kind", "address"))
    if search.is_sqlite() and post.is_rendered:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT title, text FROM posts_search WHERE rowid = %s", [post.search_key]
            )
            values["search"] = cursor.fetchall()
    return values


def dump() -> dict[str, dict[str, object]]:
    snapshot = Snapshot.objects.get()
    assert snapshot.authors == [list(each) for each in Post.objects.list_authors()]
    posts = {post.path: dump_post(post) for post in Post.objects.order_by("path")}
    return {**posts, "": {"authors": snapshot.authors}}


def count_texts() -> int:
    """Posts with the same title and text share what is searched."""
    keys = Post.objects.filter(is_rendered=True).values_list("search_key", flat=True)
    return len(set(keys))


def count_in_search() -> int:
    if not search.is_sqlite():
        return count_texts()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM posts_search")
        return cursor.fetchone()[0]


def forget_rows() -> None:
    """As when the database is lost, or the blog moves to another host."""
    for model in (Post, Tag, Address, Snapshot):
        model.objects.all().delete()
    search.sweep()


class HistoryTest(TestCase):
    @given(st.lists(st.lists(steps(), min_size=1, max_size=4), min_size=1, max_size=5))
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    def test_incremental_rows_equal_a_full_rebuild(self, pushes):
        repository = Repository()
        self.addCleanup(shutil.rmtree, repository.root, True)
        lived_at = set()
        for push in pushes:
            for step in push:
                repository.apply(*step)
            repository.commit()
            repository.pushed = repository.commits
            index_posts(repository.root)
            rendered = Post.objects.filter(is_rendered=True)
            lived_at |= {(post.pk, post.get_absolute_url()) for post in rendered}
        self.check_addresses(lived_at)
        self.check_lists()
        self.check_against_rebuild(repository)
        shutil.rmtree(repository.root)

    def check_against_rebuild(self, repository: Repository) -> None:
        incremental = dump()
        assert count_in_search() == count_texts()
        assert index_posts(repository.root).is_empty
        assert dump() == incremental
        Snapshot.objects.all().delete()
        index_posts(repository.root, everything=True)
        assert dump() == incremental
        if repository.is_rewritten:
            # What the lost commits did is known to these rows alone: compare with the rows of
            # a blog that never saw them.
            incremental = self.follow_what_is_left(repository)
        forget_rows()
        index_posts(repository.root)
        assert dump() == incremental
        assert count_in_search() == count_texts()

    def check_lists(self) -> None:
        """Whatever visitors can see of a post and its translations, lists show one of it."""
        for tag in ("", "x"):
            among = {"tag_rows__slug": tag} if tag else {}
            seen = Post.objects.published().filter(**among)
            listed = [post.original for post in seen.once(**among)]
            assert len(listed) == len(set(listed))
            assert set(listed) == {post.original for post in seen}

    def follow_what_is_left(self, repository: Repository) -> dict[str, dict[str, object]]:
        forget_rows()
        for commit in repository.list_commits():
            repository.git("checkout", "-q", commit)
            index_posts(repository.root)
        return dump()

    def check_addresses(self, lived_at) -> None:
        """Every address that a post ever had leads to a post that lives there, or to it."""
        now = {post.get_absolute_url() for post in Post.objects.all()}
        for pk, address in lived_at:
            if Post.objects.filter(pk=pk).exists() and address not in now:
                assert Address.objects.filter(address=address, post=pk).exists()
