"""A small persona, examples in its store, and a way to run commands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from studio.cli.main import run
from studio.spec import LoadedSpec, load
from studio.store import Workspace
from tests.store.making import example, judgement

SPECS = Path(__file__).parents[2] / "specs"
SPEC = """schema: 2
name: Harbour
purpose: Answers on channel twelve.
traits: [{name: calm, is: Stays level}]
scenarios: {calls: {target: 2, items: [A boat calls]}}
success: {examples: 2}
"""
HOSTILE = (
    "A\x1b]52;c;aGFja2Vk\x07B\x1b]0;pwned\x07C\x1b[31;1mD\x9b31mE\x9d0;pwned\x9cF\u202egnp.exe\u2066G\x1b[2J"
    "[bold]I [link=http://evil]J[/]\x08\x7f\x00K\u2028L\rM"
)


def raw(text: str) -> list[str]:
    """Characters of ``text`` that act on a terminal: C0 but new line and tab, DEL, C1, bidi, line separators."""
    bad = "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
    return [one for one in text if (one < " " and one not in "\n\t") or "\x7f" <= one <= "\x9f" or one in bad]


@dataclass(frozen=True)
class Ended:
    """What a command came to."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        """The document on the last line of stdout, which is the only one."""
        last = self.out.rstrip("\n").split("\n")[-1]
        return json.loads(last)


class Studio:
    """Commands in a workspace of their own, heard through ``capfd``: what a process would have written."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str], spec: Path | None = None) -> None:
        self.root, self._capture = folder / "ws", capture
        self.spec = spec or folder / "harbour.yaml"
        if spec is None:
            self.spec.write_text(SPEC, encoding="utf-8")

    def __call__(self, *arguments: object) -> Ended:
        self._capture.readouterr()
        status = run([str(one) for one in arguments])
        told = self._capture.readouterr()
        return Ended(status, told.out, told.err)

    def triage(self, *arguments: object) -> Ended:
        return self("triage", *arguments, "--spec", self.spec, "--workspace", self.root)

    @property
    def loaded(self) -> LoadedSpec:
        return load(self.spec)

    def workspace(self) -> Workspace:
        return Workspace.open(self.root, self.loaded.spec.slug)

    def fill(self, *names: str, reply: str = "Over and out.") -> None:
        """Accepted examples, but for names that begin with ``bad``."""
        workspace, mark = self.workspace(), self.loaded.hash
        for name in names:
            one = example(
                name, category="calls", scenario="A boat calls", said=f"Hello {name}", reply=reply, spec_hash=mark
            )
            good = not name.startswith("bad")
            found = judgement("passed", spec_hash=mark) if good else judgement("failed", "generic", spec_hash=mark)
            workspace.examples.add_example(one, found)
        workspace.close()

    def status(self, name: str) -> str | None:
        workspace = self.workspace()
        try:
            row = workspace.examples.row(name)
            return row.status if row else None
        finally:
            workspace.close()


def one_line(told: Ended) -> bool:
    """Refused as bad input is: status 2, one line on stderr, nothing on stdout, no traceback."""
    return told.status == 2 and told.out == "" and len(told.err.splitlines()) == 1 and "Traceback" not in told.err
