"""The rules of the house: arrows between rooms point one way, and heavy libraries stay in the workers."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LEAVES = ("calls", "chatml", "errors", "files", "proportion", "text")
"""They know nobody, and every room may use them."""
MAY_USE: dict[str, set[str]] = {
    "machine": set(),
    "spec": set(),
    "store": {"machine"},
    "llm": {"machine"},
    "jobs": {"machine"},
    "embed": set(),
    "dedup": {"embed"},
    "judge": {"spec", "store", "llm", "embed"},
    "inference": {"store", "llm"},
    "bank": {"spec", "store", "llm", "jobs", "embed", "dedup", "inference"},
    "generate": {"machine", "spec", "store", "llm", "jobs", "embed", "dedup", "judge", "inference", "bank"},
    "queries": {"spec", "store", "llm", "jobs", "embed", "dedup", "judge", "inference", "bank"},
    "triage": {"spec", "store", "llm", "embed", "dedup", "judge"},
    "dataset": {"spec", "store", "embed", "dedup", "judge", "bank", "generate", "triage"},
    "train": {"machine", "spec", "store", "jobs", "dataset"},
    "serve": {"machine", "llm", "jobs", "train"},
    "evaluate": {"spec", "store", "llm", "jobs", "judge", "train", "serve"},
    "package": {"spec", "store", "jobs", "judge", "train", "serve", "evaluate"},
    "build": {
        *("spec", "store", "llm", "jobs", "judge", "inference", "bank", "generate", "queries", "triage", "dataset"),
        *("train", "serve", "evaluate", "package"),
    },
    "doctor": {"machine", "llm", "train"},
}
"""The rooms from the bottom up; arrows point down. The two faces, ``tui`` and ``cli``, may use every room."""
FACES = ("tui", "cli")
PAGE = 60
"""Lines."""
OPENS_A_MODEL = {"OpenAIModel": 2, "author_model": 1, "open_author": 2, "open_judge": 2}
"""Which of its positional arguments is the record of calls."""
UNRECORDED = {
    "studio/serve/client.py open_model",  # the studio's own, whose names change their meaning with every run
    "studio/build/authors.py roles",  # names the judge, and asks nobody
    "studio/tui/live/session.py",  # without an endpoint: the judge that learns from labels
}
HEAVY = ("torch", "transformers", "trl", "peft", "unsloth", "bitsandbytes", "datasets", "accelerate")
WORKERS = ("studio/train/worker/", "studio/serve/worker/")


def modules() -> Iterator[Path]:
    yield from sorted((ROOT / "studio").rglob("*.py"))


@cache
def parsed(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it."""
    for node in parsed(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "studio":
            yield from (f"studio.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "studio").parts[0].removesuffix(".py")


def test_every_room_has_its_place_and_a_docstring_of_at_most_a_page() -> None:
    found = {path.name.removesuffix(".py") for path in (ROOT / "studio").iterdir() if not path.name.startswith("__")}
    assert found - {"py.typed"} == {*LEAVES, *MAY_USE, *FACES}
    for room in found - {"py.typed"}:
        path = ROOT / "studio" / room / "__init__.py"
        text = (path if path.exists() else ROOT / "studio" / f"{room}.py").read_text(encoding="utf-8")
        told = (ast.get_docstring(ast.parse(text)) or "").splitlines()
        assert told and len(told[0]) > 20 and told[0].endswith(".") and len(told) <= PAGE, room


def test_every_room_uses_only_the_rooms_it_may() -> None:
    wrong = []
    for path in modules():
        room = room_of(path)
        allowed = {room, *LEAVES, *MAY_USE.get(room, set())}
        if room in LEAVES:
            allowed = {room}
        elif room in FACES:
            allowed = {*LEAVES, *MAY_USE, *FACES[: FACES.index(room) + 1]}  # the commands open the window
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "studio" and len(parts) > 1 and parts[1] not in {*allowed, "__version__"}:
                wrong.append(f"{path.relative_to(ROOT)} -> {name}")
    assert wrong == []


def test_arrows_between_rooms_point_down() -> None:
    order = list(MAY_USE)
    wrong = [f"{room} -> {used}" for room in order for used in MAY_USE[room] if order.index(used) >= order.index(room)]
    assert wrong == []


def test_training_libraries_are_imported_by_the_workers_alone() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} -> {name}"
        for path in modules()
        if not path.relative_to(ROOT).as_posix().startswith(WORKERS)
        for name in imports(path)
        if name.split(".")[0] in HEAVY
    ]
    assert wrong == []


def test_onnxruntime_is_imported_for_embeddings_alone() -> None:
    wrong = [path for path in modules() if room_of(path) != "embed" and "onnxruntime" in set(imports(path))]
    assert wrong == []


def test_no_model_at_an_endpoint_is_opened_without_a_record_but_the_studio_s_own() -> None:
    opened = [
        (f"{path.relative_to(ROOT).as_posix()} {_function_of(path, node)}".rstrip(), node)
        for path in modules()
        for node in parsed(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in OPENS_A_MODEL
    ]
    unrecorded = {where for where, node in opened if not _recorded(node)}
    assert len(opened) > 10, "the functions that open models have other names now"
    assert unrecorded == UNRECORDED


def _function_of(path: Path, call: ast.Call) -> str:
    functions = (one for one in parsed(path) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
    return next((one.name for one in functions if call in ast.walk(one)), "")


def _recorded(call: ast.Call) -> bool:
    """Whether a record is handed over, which is not None."""
    assert isinstance(call.func, ast.Name)
    at = OPENS_A_MODEL[call.func.id]
    given = [call.args[at]] if len(call.args) > at else []
    given += [one.value for one in call.keywords if one.arg == "call_log"]
    return any(not (isinstance(one, ast.Constant) and one.value is None) for one in given)


def test_only_the_faces_print() -> None:
    wrong = []
    for path in modules():
        if room_of(path) in FACES or path.relative_to(ROOT).as_posix().startswith(WORKERS):
            continue
        for node in parsed(path):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []


@pytest.mark.parametrize(
    "start",
    ["import studio.tui", "import studio.cli.main", "import studio.jobs.worker", "import studio.train.worker.main"],
)
def test_starting_a_face_or_a_job_loads_nothing_heavy(start: str) -> None:
    heavy = (*HEAVY, "openai", "genai_prices", "onnxruntime", "tokenizers", "sklearn", "pyarrow")
    code = f"import sys; {start}; print(sorted(set(sys.modules) & set({heavy!r})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_the_libraries_that_the_studio_is_made_of_are_declared_and_used() -> None:
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    used = {name.split(".")[0] for path in modules() for name in imports(path)}
    wanted = {"textual", "rich", "openai", "pydantic", "tinydb", "datasketch"}
    wanted |= {"transformers", "peft", "trl", "torch"}
    assert wanted <= used
    assert {name for name in (*wanted, "unsloth", "bitsandbytes") if f'"{name}' not in declared} <= {"unsloth"}
