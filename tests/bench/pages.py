"""What a page costs the web workers, in processor time, beside a health check."""

import tempfile
from pathlib import Path

import psutil

from tests.system.live_site import LiveSite

ROUNDS = 200
POSTS = 40
PAGES = ("/", "/2020/01/02/first/", "/archive/", "/tags/", "/feed/", "/search/?q=post")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        site = LiveSite(Path(folder))
        try:
            site.start()
            for number in range(POSTS):
                site.write_post(f"2021_01_{1 + number % 28:02}-{number}.rst", f"Post {number}")
            site.wait_for_deploy(site.deliver("content").json()["deploy"])
            measure(site)
        finally:
            site.clean_up()


def measure(site: LiveSite) -> None:
    costs = {page: cost(site, page) for page in ("/healthz", *PAGES)}
    for page, seconds in costs.items():
        ratio = seconds / costs["/healthz"]
        print(f"{page:28} {seconds * 1000:6.1f} ms of processor  x {ratio:.1f}")


def cost(site: LiveSite, page: str) -> float:
    """Processor seconds of one request, those of both workers taken together."""
    workers = [psutil.Process(pid) for pid in site.worker_pids()]
    for _ in range(20):
        assert site.get(page).status == 200
    before = spent(workers)
    for _ in range(ROUNDS):
        site.get(page)
    return (spent(workers) - before) / ROUNDS


def spent(workers: list[psutil.Process]) -> float:
    return sum(sum(worker.cpu_times()[:2]) for worker in workers)
