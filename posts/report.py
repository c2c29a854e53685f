"""What a run of the index did, in words for people."""

from dataclasses import dataclass, field

from posts.problems import Problem


@dataclass
class Report:
    """What a run changed, by path, and every problem of the posts that it looked at."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    unchanged: int = 0
    problems: list[tuple[str, Problem]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.changed or self.removed or self.renamed)

    def __str__(self) -> str:
        return (
            f"added {len(self.added)}, changed {len(self.changed)}, renamed {len(self.renamed)}, "
            f"removed {len(self.removed)}, broken {len(self.broken)}, unchanged {self.unchanged}"
        )
