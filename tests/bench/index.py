"""What it costs to index a blog: a full one, and one edited post, at 600 and at 5,000 posts.

And how long nobody else can write, beside writing the same rows with nothing else to do; and what
an empty database costs where each post was edited once, beside one without that past.
"""

import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

NUMBERS = (600, 5000)
PROJECT = Path(__file__).resolve().parents[2]

POST = """---
tags: [{tag}, bench]
---

# 第 {number} 篇 post

{paragraphs}

```python
def f{number}(x: int) -> str:
    return "a" * x  # 注释
```

See [another]({other}).
"""
PARAGRAPH = "这是一段用来测量的正文，with some English words and `code` in it, 编号 {}。\n\n"


def name(number: int) -> str:
    return f"{2000 + number % 25}_{1 + number % 12:02}_{1 + number % 28:02}-post_{number}.md"


def write_post(root: Path, number: int, extra: str = "") -> None:
    paragraphs = "".join(PARAGRAPH.format(f"{number}.{line}") for line in range(20)) + extra
    text = POST.format(
        number=number, tag=f"tag{number % 40}", paragraphs=paragraphs, other=name(number // 2)
    )
    (root / name(number)).write_text(text, encoding="utf-8")


def git(root: Path, *args: str) -> None:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    subprocess.run(["git", *identity, *args], cwd=root, check=True, capture_output=True)


def measure(env: dict[str, str], *args: str) -> tuple[float, float, float]:
    """(seconds, CPU seconds, MB of memory at most) of a command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started_at = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "manage.py", *args], cwd=PROJECT, env=env, stdout=subprocess.DEVNULL
    )
    peak = [0]
    watcher = threading.Thread(target=watch_memory, args=(process.pid, peak), daemon=True)
    watcher.start()
    if process.wait() != 0:
        raise SystemExit(f"manage.py {' '.join(args)} failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - started_at, cpu, peak[0] / 1e6


def watch_memory(pid: int, peak: list[int]) -> None:
    """Shared pages are counted once: the sum of what each process holds of them (PSS)."""
    while True:
        try:
            root = psutil.Process(pid)
            family = [root, *root.children(recursive=True)]
            peak[0] = max(peak[0], sum(each.memory_full_info().pss for each in family))
        except psutil.Error:
            if not psutil.pid_exists(pid):
                return
        time.sleep(0.2)


def bench(number: int) -> float:
    with tempfile.TemporaryDirectory(prefix="bench-posts-") as folder:
        root = Path(folder) / "posts"
        root.mkdir()
        for each in range(number):
            write_post(root, each)
        git(root, "init", "-q")
        git(root, "add", "-A")
        git(root, "commit", "-qm", "x")
        env = {**os.environ, "DATA_DIR": f"{folder}/data", "POSTS_DIR": str(root)}
        env.pop("DATABASE_URL", None)
        measure(env, "migrate", "--skip-checks", "--verbosity", "0")
        report(number, "full index", *measure(env, "index_posts"))
        best = min((edit(env, root, turn) for turn in range(3)), key=lambda cost: cost[1])
        report(number, "one edit", *best)
        report(number, "no change", *measure(env, "index_posts"))
        if number == max(NUMBERS):
            bench_lock(env)
            bench_past(env, root, number)
        return best[1]


def bench_lock(env: dict[str, str]) -> None:
    """Every post is another: all of it is written again, the worst that a new renderer can do."""
    subprocess.run([sys.executable, "-m", "tests.bench._lock"], cwd=PROJECT, env=env, check=True)


def bench_past(env: dict[str, str], root: Path, number: int) -> None:
    """A commit for each post, as if it had been edited once; without them, and with."""
    costs = {}
    for what in ("no past", "past"):
        if what == "past":
            import_edits(root, number)
        fresh = {**env, "DATA_DIR": f"{env['DATA_DIR']}-{what.replace(' ', '-')}"}
        measure(fresh, "migrate", "--skip-checks", "--verbosity", "0")
        costs[what] = measure(fresh, "index_posts")
        report(number, what, *costs[what])
    ratio = costs["past"][1] / costs["no past"][1]
    sys.stdout.write(f"an empty database, {number} commits more: x {ratio:.2f}\n")


def import_edits(root: Path, number: int) -> None:
    """By git's own stream: as many calls of `git commit` would take minutes."""
    stream = bytearray()
    for each in range(number):
        write_post(root, each, "Edited.\n\n")
        text = (root / name(each)).read_bytes()
        stream += b"commit refs/heads/edits\ncommitter x <x@example.org> %d +0000\n" % (
            1_500_000_000 + each
        )
        stream += b"data 1\nx\n" + (b"from HEAD^0\n" if each == 0 else b"")
        stream += f"M 100644 inline {name(each)}\ndata {len(text)}\n".encode() + text + b"\n"
    subprocess.run(["git", "fast-import", "--quiet"], cwd=root, check=True, input=bytes(stream))
    git(root, "reset", "-q", "--hard", "edits")


def edit(env: dict[str, str], root: Path, turn: int) -> tuple[float, float, float]:
    write_post(root, 7, f"Edit {turn}.\n\n")
    git(root, "commit", "-qam", "x")
    return measure(env, "index_posts")


def report(number: int, what: str, seconds: float, cpu: float, memory: float) -> None:
    line = f"{number:>6} posts  {what:<10}  {seconds:7.2f} s  {cpu:7.2f} CPU s  {memory:5.0f} MB"
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    costs = {number: bench(number) for number in NUMBERS}
    few, many = (costs[number] for number in NUMBERS)
    sys.stdout.write(f"one edit among {NUMBERS[1]} beside {NUMBERS[0]}: x {many / few:.2f}\n")
