from __future__ import annotations

import shutil
from pathlib import Path

from studio.spec import LoadedSpec, Problem, Spec, check, load

DATA = Path(__file__).parent / "data"
PARROT = DATA / "parrot.yaml"

SPECS = Path(__file__).parents[2] / "specs"
BUNDLED = sorted(path.stem for path in SPECS.glob("*.yaml") if "\nscenarios:" in path.read_text(encoding="utf-8"))

MINIMAL = """\
schema: 2
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


def bundled(name: str, folder: Path) -> LoadedSpec:
    """A spec that comes with the studio, from a copy in ``folder`` in which its data files are there, if empty."""
    shutil.copytree(SPECS, folder, dirs_exist_ok=True)
    for data in ("recorded", "labels"):
        (folder / f"{name}.{data}.jsonl").touch()
    return load(folder / f"{name}.yaml")


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
