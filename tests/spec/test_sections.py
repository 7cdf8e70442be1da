"""Parsing by pieces must be nothing but faster."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.spec.node import Node
from studio.spec.problems import Problem, ProblemList
from studio.spec.sections import parse_fast
from studio.spec.tree import parse
from tests.spec.helpers import PARROT

ROOT = Path(__file__).parents[2]
TEXTS = [PARROT, *sorted((ROOT / "specs").glob("*.yaml"))]
PARROT_TEXT = PARROT.read_text(encoding="utf-8")

# Whatever could make a cut fall in the wrong place.
LINES = st.sampled_from(
    [
        *PARROT_TEXT.split("\n"),
        "key:",
        "key: |",
        "key: >+",
        "key: |2",
        "key: [a,",
        "b]",
        "]",
        "key: 'a",
        "b: c'",
        'other: "x',
        "  - |",
        "   - x",
        "    - x",
        "  -",
        "- x",
        "-",
        "---",
        "...",
        "%YAML 1.1",
        "? key",
        ": value",
        "  key: [",
        "key : x",
        "  text",
        "text",
        "# comment",
        "  # comment",
        "",
        " ",
        "key:x",
        "key: &a x",
        "other: *a",
        "{a: b}",
        "\tx",
    ]
)


def both(text: str) -> tuple[tuple[Node | None, tuple[Problem, ...]], ...]:
    results = []
    for parser in (parse, parse_fast):
        problems = ProblemList("f")
        results.append((parser(text, problems), problems.sorted()))
    return tuple(results)


def test_the_pieces_give_the_very_tree_of_the_whole_with_places() -> None:
    for path in TEXTS:
        whole, pieces = both(path.read_text(encoding="utf-8"))
        assert whole == pieces
        assert whole[0] is not None


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=14), st.sampled_from(["", "\n"]))
def test_any_text_gives_the_same_tree_and_the_same_problems(lines: list[str], end: str) -> None:
    whole, pieces = both("\n".join(lines) + end)
    assert whole == pieces


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_spec_with_lines_changed_gives_the_same_tree(data: st.DataObject) -> None:
    lines = PARROT_TEXT.split("\n")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at : at + data.draw(st.integers(0, 2))] = data.draw(st.lists(LINES, max_size=2))
    whole, pieces = both("\n".join(lines))
    assert whole == pieces


@pytest.mark.parametrize("text", ["a: |\n  x\nb: y\n", "a: |+\n  x\n\n\nb: y\n", "a:\n  - |\n    x\n\n  - y\nb: z"])
def test_the_last_line_end_of_a_block_of_text_is_kept(text: str) -> None:
    whole, pieces = both(text)
    assert whole == pieces
