import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployhooks.repositories import Source, derive_full_name, normalise_url


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/site.git",
        "https://github.com/acme/site",
        "https://github.com/acme/site/",
        "https://github.com/acme/site.git/",
        "https://GitHub.com/acme/site",
        "https://user:token@github.com/acme/site.git",
        "https://github.com:443/acme/site.git",
        "http://github.com/acme/site",
        "git://github.com/acme/site.git",
        "ssh://git@github.com/acme/site.git",
        "ssh://git@github.com:22/acme/site.git",
        "git+ssh://git@github.com/acme/site.git",
        "git@github.com:acme/site.git",
        "git@github.com:/acme/site",
        "github.com:acme/site.git",
        " https://github.com/acme/site.git\n",
    ],
)
def test_all_spellings_of_a_url_are_one(url: str):
    assert normalise_url(url) == "//github.com/acme/site"


@pytest.mark.parametrize("url", ["file:///x/y.git", "/x/y.git", "/x/y", "/x/y/", "file:///x/y"])
def test_all_spellings_of_a_folder_are_one(url: str):
    assert normalise_url(url) == "/x/y"


@pytest.mark.parametrize(
    "other",
    [
        "http://127.0.0.1:8002/acme/site.git",
        "http://127.0.0.1/acme/site.git",
        "http://localhost:8001/acme/site.git",
        "http://127.0.0.1:8001/acme/sites.git",
        "http://127.0.0.1:8001/Acme/site.git",
        "http://127.0.0.1:8001/site.git",
        "/acme/site.git",
        "/127.0.0.1:8001/acme/site",
        "",
    ],
)
def test_port_host_and_path_tell_repositories_apart(other: str):
    assert normalise_url(other) != normalise_url("http://127.0.0.1:8001/acme/site.git")


@pytest.mark.parametrize(
    ("url", "full_name"),
    [
        ("git@github.com:acme/site.git", "acme/site"),
        ("https://forge.example:8443/git/acme/site/", "acme/site"),
        ("/srv/git/site.git", "git/site"),
        ("https://github.com/site.git", ""),
        ("/site.git", ""),
        ("", ""),
    ],
)
def test_the_full_name_is_the_end_of_the_url(url: str, full_name: str):
    assert derive_full_name(url) == full_name


def test_an_empty_name_names_nothing():
    source = Source("the site", ("https://github.com/site",), "main", full_name="")

    assert not source.is_named_by([], "")
    assert not source.is_named_by([""], "")


def test_the_full_name_is_enough_where_the_host_is_an_alias():
    source = Source("the site", ("git@github-work:acme/site.git",), "main", full_name="acme/site")

    assert source.is_named_by(["https://github.com/acme/site.git"], "acme/site")
    assert not source.is_named_by(["https://github.com/acme/other.git"], "acme/other")


def test_a_password_in_a_url_is_not_shown():
    source = Source("the site", ("https://me:secret@github.com/acme/site.git",), "main")

    assert str(source) == "github.com/acme/site (the site)"


URL_LIKE = st.text(st.sampled_from("htps:/@.[]%~#?git-0519é\x00\ud800 ")) | st.text()


@given(URL_LIKE)
def test_no_text_is_too_odd_for_a_url(url: str):
    normalise_url(url)
    derive_full_name(url)
