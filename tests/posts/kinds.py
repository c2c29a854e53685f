"""One blog with a page of every kind, and what each may cost."""

from tests.posts.blogs import make_markdown

MOST_QUERIES = 4

LISTS = "\n\n".join(f".. post-list::\n   {options}" for options in (
    ":stop: 3", ":start: -2", ":sort: title\n   :reverse:", ":tags: x, 中文\n   :require_all_tags:",
    ":date: year >= 2016, weekday != 0, hour < 23, > 2001-02-03, < now", ":all:\n   :sort: slug",
))  # fmt: skip

POSTS = {
    **{
        f"2016-01-{day:02}-p{day}.md": make_markdown(
            f"Post {day}",
            "Text 中文.",
            tags="[x, 中文]",
            category="C",
            aliases='[/old.html, "/?p=12"]',
        )
        for day in range(1, 13)
    },
    **{
        f"2017-01-0{day}-s.md": make_markdown(series="S", tags="[x]", author="Jane, Ric")
        for day in range(1, 4)
    },
    "2015-01-02-dot.md": make_markdown("Dot", tags="[.NET]"),
    "2015-01-01-plain.md": make_markdown("Plain words of a title", "Neither tag nor category."),
    "2015-01-03-lists.rst": f"Lists\n=====\n\n{LISTS}\n",
    "lists.rst": f"Lists\n=====\n\n{LISTS}\n",
    "2016-01-02-p2.fr.md": "# Poste deux\n\nTexte.\n",
    "about.md": "# About\n",
    "about.fr.md": "# À propos\n",
    "p.png": "png",
}

# (address, status): every kind of page, and every kind of absence.
ADDRESSES = [
    *((address, 200) for address in (
        "/", "/?utm_source=x", "/?page=2", "/2016/01/02/p2/", "/2017/01/02/s/",
        "/2015/01/01/plain/", "/2016/01/02/p2-fr/", "/pages/about-fr/",
        "/2015/01/03/lists/", "/pages/lists/",
        "/pages/about/", "/tags/", "/tags/x/", "/tags/x/?page=2", "/categories/c/",
        "/categories/c/?page=2", "/series/s/", "/archive/", "/archive/2016/",
        "/search/", "/search/?q=Post",
        "/search/?q=Post 2 中", "/search/?q=中文", "/search/?q=nothing", "/feed/", "/rss/",
        "/tags/x/feed/", "/tags/x/rss/", "/categories/c/feed/", "/categories/c/rss/",
        "/tags/.net/", "/authors/jane/", "/authors/ric/feed/", "/authors/ric/rss/",
        "/languages/fr/", "/languages/fr/feed/", "/languages/fr/rss/",
 "/sitemap.xml", "/robots.txt", "/files/p.png",
    )),
    *((address, 404) for address in (
        "/helo-wrld/", "/none/", "/Post.html", "/?page=9", "/2016/01/01/Post/", "/2016/13/01/none/",
        "/2016/01/01/没有这篇/", "/pages/text/", "/tags/post/", "/tags/post/feed/",
        "/categories/post/", "/categories/cat_post/", "/categories/post/rss/",
        "/feeds/%00.atom.xml", "/feeds/post.atom.xml", "/languages/fr/?page=2", "/tags/x/?page=9",
        "/authors/post/", "/authors/post/feed/",
        "/series/post/", "/languages/xx/", "/xx/", "/xx/rss.xml",
        "/archive/1999/", "/1999/", "/0000/", "/tag/nope", "/category/x.html", "/author/x.html",
        "/archive/0000/",
        "/tags/%00/", "/pages/%00/", "/2016/01/01/%00/", "/articles/%00.html", "/files/%00.png",
        f"/files/{'x' * 300}.png", "/archive/2016/?page=2", "/articles/none.rst.html",
        "/files/none.png",
    )),
    *((address, 301) for address in (
        "/old.html", "/?p=12", "/tags/X/", "/tags/net/", "/tags/net/feed/",
        "/categories/C/rss/", "/archive", "/archive/2016", "/tags/x", "/2016/01/02/p2",
        "/articles/2016-01-02-p2.md.html",
        "/favicon.ico", "/rss.xml", "/author/jane/", "/2016/", "/tag/X/", "/category/c.html",
    )),
    ("/p2.html", 302),
]  # fmt: skip
