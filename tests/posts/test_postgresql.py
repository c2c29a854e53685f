"""The blog on PostgreSQL: migrations, index and search, as on SQLite."""

import json
import os
import shutil
import subprocess
import sys

from django.conf import settings as site

from tests.postgres import private_server
from tests.posts.blogs import make_markdown, write_posts
from tests.posts.kinds import MOST_QUERIES, POSTS

SEARCH = """
import json, django
django.setup()
from posts import search
queries = ["动态规划", "动态", "golang", "GOLANG 动态", "100%", "C++", "nothing like it", "a'b\\\\"]
print(json.dumps({query: [post.title for post in search.find(query)] for query in queries}))
"""

COUNTS = """
import json, django
django.setup()
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from posts.previewing import prepare_settings
from tests.posts.kinds import ADDRESSES
prepare_settings("testserver")
counts = {}
for address, status in ADDRESSES:
    with CaptureQueriesContext(connection) as seen:
        assert Client().get(address).status_code == status, address
    counts[address] = len(seen)
print(json.dumps(counts))
"""


def test_the_blog_runs_on_postgresql(tmp_path):
    posts = tmp_path / "posts"
    write_posts(posts, **{
        "2016-01-01-a.md": make_markdown("动态规划民科教程", "递归, 100% of it.", tags="[x]"),
        "2016-01-02-b.md": make_markdown("Golang runtime", "一篇关于动态语言的文章"),
        "2016-01-03-c.md": make_markdown("Unripe", "动态规划", status="draft"),
        "2016-01-04-d.md": make_markdown("Notes", "Golang and C++", slug="one"),
        f"2016-01-05-{'长' * 75}.md": make_markdown("Long", "Of a long name.\n" * 9),
        "2016-01-06-e.md": '---\ntitle: "a\\0b\\ud800"\nlang: zh-abcdefgh-abcdefgh-abcdefgh\n'
                           "updated: 0001-01-01 00:00 +08:00\n---\n[x](#%00) [y](a%00b.md)\n\n"
                           '<div data-code="name=%00"></div>\n',
    })  # fmt: skip
    with private_server() as url:
        env = {**os.environ, "DATABASE_URL": url, "DATA_DIR": str(tmp_path / "data"),
               "POSTS_DIR": str(posts), "DJANGO_SETTINGS_MODULE": "blogsite.settings"}  # fmt: skip

        def run(*args: str) -> str:
            done = subprocess.run([sys.executable, *args], cwd=site.BASE_DIR, env=env,
                                  capture_output=True, text=True)  # fmt: skip
            assert done.returncode == 0, done.stderr
            return done.stdout

        run("manage.py", "migrate", "--skip-checks")
        assert "added 6" in run("manage.py", "index_posts")
        found = json.loads(run("-c", SEARCH))
        assert found == {
            "动态规划": ["动态规划民科教程"],
            "动态": ["动态规划民科教程", "Golang runtime"],
            "golang": ["Golang runtime", "Notes"],
            "GOLANG 动态": ["Golang runtime"],
            "100%": ["动态规划民科教程"],
            "C++": ["Notes"],
            "nothing like it": [],
            "a'b\\": [],
        }
        write_posts(posts, **{"2016-01-04-d.md": make_markdown("Notes", "Changed", slug="two")})
        (posts / "2016-01-02-b.md").rename(posts / "2016-01-02-z.md")
        (posts / f"2016-01-05-{'长' * 75}.md").rename(posts / "2016-01-05-short.md")
        assert "changed 1, renamed 2" in run("manage.py", "index_posts")
        shutil.rmtree(posts)
        write_posts(posts, **POSTS)
        run("manage.py", "index_posts")
        counts = json.loads(run("-c", COUNTS))
        assert {each for each, count in counts.items() if count > MOST_QUERIES} == set()
