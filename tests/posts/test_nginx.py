"""The pages behind the nginx that deploy/nginx.conf sets up: kept for a second, never longer."""

import http.client
import re
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from django.conf import settings as site

from tests.posts.blogs import index, make_markdown

pytestmark = pytest.mark.django_db(transaction=True)

NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificate(folder: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-subj", "/CN=127.0.0.1", "-keyout", folder / "privkey.pem",
         "-out", folder / "fullchain.pem"],
        check=True, capture_output=True,
    )  # fmt: skip


def adapt(text: str, folder: Path, upstream: str, port: int) -> str:
    """The project's own file, with this machine's ports and folders put in."""
    text = re.sub(r"listen \[::\].*\n", "", text)
    text = text.replace("listen 80;", f"listen 127.0.0.1:{find_free_port()};")
    text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    text = text.replace("server 127.0.0.1:8000;", f"server {upstream};")
    text = text.replace("/etc/letsencrypt/live/blog.example.org", str(folder))
    text = text.replace("/var/cache/nginx/blogsite", str(folder / "cache"))
    text = text.replace("/srv/blogsite/var/static/", f"{folder}/static/")
    return f"""
daemon off; pid {folder}/pid; error_log stderr; {"user root;" if Path("/root").owner() else ""}
events {{}}
http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
{text}
}}"""


@pytest.fixture
def nginx(tmp_path, live_server):
    if not NGINX or not shutil.which("openssl"):
        pytest.skip("nginx or openssl is not installed")
    folder = tmp_path / "nginx"
    folder.mkdir()
    make_certificate(folder)
    port = find_free_port()
    upstream = live_server.url.removeprefix("http://").replace("localhost", "127.0.0.1")
    config = (site.BASE_DIR / "deploy" / "nginx.conf").read_text()
    (folder / "nginx.conf").write_text(adapt(config, folder, upstream, port))
    process = subprocess.Popen([NGINX, "-p", folder, "-c", folder / "nginx.conf"])
    try:
        wait_for_port(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def wait_for_port(port: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nginx did not start")


def get(port: int, path: str, **headers: str) -> http.client.HTTPResponse:
    context = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=20)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.text = answer.read().decode()
    connection.close()
    return answer


def get_twice_within_a_second(port: int, path: str) -> list[str]:
    """X-Cache of the second of two requests; tried again when the machine was too slow."""
    seen = []
    for _ in range(5):
        get(port, path)
        seen.append(get(port, path).headers["X-Cache"])
        if seen[-1] == "HIT":
            break
        time.sleep(1.2)
    return seen


def test_pages_are_answered_from_the_cache_within_a_second(nginx, tmp_path):
    text = make_markdown("A post", tags="[x]", aliases="[/old/]")
    index(tmp_path / "posts", **{"2016-01-01-a.md": text})
    for path in ("/", "/2016/01/01/a/", "/feed/", "/tags/x/", "/old/", "/archive"):
        assert "HIT" in get_twice_within_a_second(nginx, path), path


def test_a_new_post_is_seen_within_seconds_however_long_nobody_looked(nginx, tmp_path):
    index(tmp_path / "posts", **{"2016-01-01-a.md": make_markdown("A post")})
    assert "A post" in get(nginx, "/").text
    time.sleep(4)
    index(tmp_path / "posts", **{"2016-01-02-b.md": make_markdown("A newer post")})
    assert "A newer post" in get(nginx, "/").text


def test_who_has_a_page_gets_304_through_the_cache(nginx, tmp_path):
    index(tmp_path / "posts", **{"2016-01-01-a.md": make_markdown("A post")})
    answer = get(nginx, "/2016/01/01/a/")
    again = get(nginx, "/2016/01/01/a/", **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.text) == (304, "")


def test_drafts_are_never_kept(nginx, tmp_path):
    assert get(nginx, "/drafts/").status == 302
    assert get(nginx, "/drafts/").headers["X-Cache"] != "HIT"


def test_a_part_of_a_film_is_sent_without_the_rest(nginx, tmp_path, settings):
    settings.POSTS_DIR = tmp_path / "posts"
    index(tmp_path / "posts", **{"2016-01-01-a.md": "# A\n", "film.mp4": "0123456789"})
    answer = get(nginx, "/files/film.mp4", Range="bytes=2-4")
    assert (answer.status, answer.text, answer.headers["Content-Range"]) == (
        206, "234", "bytes 2-4/10")  # fmt: skip
    assert not list((tmp_path / "nginx" / "cache").rglob("*")), "the whole film was kept"
