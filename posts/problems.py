"""Something wrong in a post, told with the line where it stands."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, order=True)
class Problem:
    """`line` counts from 1 in the file, as editors do."""

    line: int
    message: str

    def __post_init__(self) -> None:
        """`file:line: message` is one line, whoever complains."""
        lines = (line.strip() for line in self.message.splitlines())
        object.__setattr__(self, "message", " ".join(line for line in lines if line))

    def as_json(self) -> dict[str, Any]:
        return {"line": self.line, "message": self.message}
