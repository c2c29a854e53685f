"""Makes folders of posts, and indexes them as a deploy would."""

from pathlib import Path

from posts.index import index_posts
from posts.models import Post
from posts.report import Report


def write_posts(root: Path, **posts: str) -> None:
    """`write_posts(root, **{"2016_06_19-a.rst": "..."})`"""
    for path, text in posts.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")


def make_rst(title: str = "A title", body: str = "Some text.", **fields: str) -> str:
    lines = [title, "=" * 2 * len(title), ""]
    lines += [f":{key}: {value}" for key, value in fields.items()]
    return "\n".join([*lines, "", body, ""])


def make_markdown(title: str = "A title", body: str = "Some text.", **fields: str) -> str:
    head = "".join(f"{key}: {value}\n" for key, value in fields.items())
    front = f"---\n{head}---\n" if fields else ""
    return f"{front}# {title}\n\n{body}\n"


def index(root: Path, **posts: str) -> Report:
    write_posts(root, **posts)
    return index_posts(root)


def get_post(path: str) -> Post:
    return Post.objects.get(path=path)


def messages(report: Report) -> list[str]:
    """What a person reads: `file:line: message`."""
    return [f"{path}:{problem.line}: {problem.message}" for path, problem in report.problems]
