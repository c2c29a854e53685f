"""How long a delivery waits for its answer, idle and while deploys run, beside a health check."""

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.system.live_site import LiveSite

ROUNDS = 200


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        site = LiveSite(Path(folder))
        try:
            site.start()
            measure(site)
        finally:
            site.clean_up()


def measure(site: LiveSite) -> None:
    for _ in range(20):
        site.get("/healthz")
    health = time(lambda: site.get("/healthz").seconds)
    # The first delivery starts a deploy; the others come while it and its successors run.
    busy = time(lambda: site.deliver("content").seconds)
    site.wait_for_deploy(site.deploys()[0]["id"])
    guid = "00000000-0000-0000-0000-000000000000"
    again = time(lambda: site.deliver("content", guid=guid).seconds)
    show("health check", health, health)
    show("delivery, deploys running", busy, health)
    show("the same delivery again", again, health)
    print(f"deploys for {ROUNDS + 1} deliveries: {len(site.deploys())}")


def time(ask: Callable[[], float]) -> list[float]:
    return sorted(ask() for _ in range(ROUNDS))


def show(what: str, seconds: list[float], against: list[float]) -> None:
    middle, late = statistics.median(seconds), seconds[int(len(seconds) * 0.95)]
    ratio = middle / statistics.median(against)
    print(f"{what:28} median {middle * 1000:6.1f} ms  p95 {late * 1000:6.1f} ms  x {ratio:.1f}")
