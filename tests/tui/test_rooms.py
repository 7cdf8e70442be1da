"""The rules of the window's house: leaves, and who may touch threads."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from studio.tui.studio import Studio
from tests.tui.making import opened

TUI = Path(__file__).parent.parent.parent / "studio" / "tui"
APART = {"threading", "concurrent.futures", "subprocess", "multiprocessing"}


def imported(path: Path) -> Iterator[str]:
    """What a file imports, but for what only its types need."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    skipped = {id(inner) for node in typing for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and id(node) not in skipped:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and id(node) not in skipped:
            yield node.module


def test_the_app_is_what_screens_may_ask(tmp_path: Path) -> None:
    studio: Studio = opened(tmp_path)
    assert [name for name in Studio.__annotations__ if not hasattr(studio, name)] == []


def test_stages_and_studio_are_leaves() -> None:
    for name in ("stages.py", "studio.py"):
        assert [module for module in imported(TUI / name) if module.startswith("studio.")] == []


def test_nothing_below_the_app_imports_it() -> None:
    below = [path for path in TUI.rglob("*.py") if path.parent != TUI]
    assert [path for path in below if "studio.tui.app" in set(imported(path))] == []


def test_only_live_touches_threads_and_other_processes() -> None:
    wrong = [path for path in TUI.rglob("*.py") if path.parent.name != "live" and APART & set(imported(path))]
    assert wrong == []
