"""Links between posts: every form that people use leads to the post, or is reported."""

import pytest

from posts.links import Places

ADDRESSES = {
    "2016_06_19-use_github_webhooks.rst": "/2016/06/19/use_github_webhooks/",
    "sub/2017-01-01-分治.md": "/2017/01/01/%E5%88%86%E6%B2%BB/",
    "about.md": "/pages/about/",
}


def resolve(target: str, source: str = "2016_06_18-x.rst") -> str | None:
    places = Places(
        addresses=ADDRESSES,
        files={"img/a b.png", "sub/c.png", "public/d.png"},
        list_address=lambda kind, name: f"/{kind}s/{name}/",
        file_address=lambda path: f"/files/{path}",
    )
    return places.resolve(target, source)


@pytest.mark.parametrize(
    "target",
    [
        "2016_06_19-use_github_webhooks.rst",
        "./2016_06_19-use_github_webhooks.rst",
        "2016_06_19-use-github-webhooks.rst",
        "2016-06-19-use-github-webhooks.md",
        "2016_06_19-use_github_webhooks",
        "2016_06_19-use_github_webhooks.rst.html",
        "/articles/2016_06_19-use_github_webhooks.rst.html",
        "{filename}/2016_06_19-use_github_webhooks.rst",
        "%7Bfilename%7D2016_06_19-use_github_webhooks.rst",
        "|filename|2016_06_19-use_github_webhooks.rst",
        "link://slug/2016_06_19-use_github_webhooks",
        "elsewhere/2016_06_19-use_github_webhooks.rst",
        "/2016/06/19/use_github_webhooks/",
    ],
)
def test_every_form_leads_to_the_post(target):
    assert resolve(target) == "/2016/06/19/use_github_webhooks/"


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("sub/2017-01-01-分治.md#节", "/2017/01/01/%E5%88%86%E6%B2%BB/#%E8%8A%82"),
        ("about.md", "/pages/about/"),
        ("img/a%20b.png", "/files/img/a b.png"),
        ("./img/a b.png", "/files/img/a b.png"),
        ("{static}/sub/c.png", "/files/sub/c.png"),
        ("/public/d.png", "/files/public/d.png"),
        ("{tag}x", "/tags/x/"),
        ("/tags/x/", "/tags/x/"),
        ("/admin/", "/admin/"),
    ],
)
def test_other_links_lead_where_they_should(target, address):
    assert resolve(target) == address


def test_links_are_relative_to_the_post():
    assert resolve("c.png", "sub/x.md") == "/files/sub/c.png"
    assert resolve("../about.md", "sub/x.md") == "/pages/about/"


LOST = ["nowhere.md", "img/none.png", "../../etc/passwd", "/2016/01/01/x/", "c",
        "/articles/none.md.html", "link://slug/none"]  # fmt: skip


@pytest.mark.parametrize("target", LOST)
def test_links_that_lead_nowhere_are_told(target):
    assert resolve(target) is None
