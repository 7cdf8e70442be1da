from __future__ import annotations

from pathlib import Path

from studio.spec import LoadedSpec, Problem, Spec, check, load

DATA = Path(__file__).parent / "data"
PARROT = DATA / "parrot.yaml"

MINIMAL = """\
schema: 1
name: Tiny
purpose: To be small.
traits:
  - name: small
    is: Small
scenarios:
  daily:
    items: [Say hello]
"""


def parrot() -> LoadedSpec:
    return load(PARROT)


def spec_of(extra: str = "", base: str = MINIMAL) -> Spec:
    """The minimal spec with more lines at its end."""
    loaded, problems = check(base + extra, "tiny.yaml")
    assert loaded is not None, [str(problem) for problem in problems]
    return loaded.spec


def problems_of(text: str, path: Path | str = "tiny.yaml") -> tuple[Problem, ...]:
    loaded, problems = check(text, path)
    assert (loaded is None) == bool(problems)
    return problems


def only(text: str, path: Path | str = "tiny.yaml") -> tuple[int, str, str]:
    """Line, key and message of the one problem in ``text``."""
    problems = problems_of(text, path)
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0].line, problems[0].key, problems[0].message
