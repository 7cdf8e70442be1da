"""What is wrong with a spec file, place by place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.chatml import Frozen
from studio.errors import UserError
from studio.text.inert import inert_line


class Problem(Frozen):
    """One mistake: the file, the line (1-based), the dotted key (``traits.0.name``) and what was expected."""

    file: str
    line: int
    key: str
    message: str

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}" + (f": {self.key}" if self.key else "")

    def __str__(self) -> str:
        return inert_line(f"{self.where}: {self.message}")


class SpecError(UserError):
    """A spec that cannot be used. ``problems`` holds all that is wrong, in the order of the file; never empty."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        first, more = self.problems[0], len(self.problems) - 1
        message = inert_line(first.message) + (f" (and {more} more)" if more else "")
        super().__init__(message, where=inert_line(first.where))


class ProblemList:
    """Gathers the problems of one file; a place that is already blamed is not blamed again, and a file of nothing
    but mistakes is not listed to its end."""

    LIMIT = 200

    def __init__(self, file: Path | str) -> None:
        self.file = str(file)
        self._found: list[Problem] = []
        self._blamed: set[str] = set()

    def add(self, line: int, path: Sequence[str | int], message: str) -> None:
        key = dotted(path)
        if key in self._blamed or len(self._found) >= self.LIMIT:
            return
        self._blamed.add(key)
        self._found.append(Problem(file=self.file, line=max(line, 1), key=key, message=message))

    def sorted(self) -> tuple[Problem, ...]:
        return tuple(sorted(self._found, key=lambda problem: problem.line))

    def __bool__(self) -> bool:
        return bool(self._found)


def dotted(path: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in path)
