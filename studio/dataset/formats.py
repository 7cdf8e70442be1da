"""Formats of the dataset: ChatML, ShareGPT, Alpaca, Parquet, DPO, KTO and a folder as the Hugging Face hub has it.

Each loads with ``datasets.load_dataset``. No text that is written holds a control character: a conversation with one is
not usable (:func:`studio.triage.check_conversation`), and names are made inert.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from studio.chatml import Frozen
from studio.dataset.card import CARD, dataset_card
from studio.dataset.export import STREAM, write_file
from studio.dataset.preferences import preferences
from studio.dataset.read import Item, json_line, turns
from studio.dataset.snapshots import Snapshot, frozen_items
from studio.dataset.splits import Side
from studio.errors import UserError, disk_error
from studio.spec import LoadedSpec
from studio.store import Workspace
from studio.text.inert import inert_line

if TYPE_CHECKING:
    from studio.judge import Agreement

Format = Literal["chatml", "sharegpt", "alpaca", "parquet", "dpo", "kto", "hf"]
FORMATS: dict[Format, str] = {
    "chatml": 'JSON lines of {"messages": [{"role", "content"}]}',
    "sharegpt": 'JSON lines of {"conversations": [{"from", "value"}]}',
    "alpaca": "JSON lines of instruction, input, output, history and system",
    "parquet": "one file with messages, scenario, person, origin and side",
    "dpo": "JSON lines of prompt, chosen and rejected, as TRL has them",
    "kto": "JSON lines of prompt, completion and label, as TRL has them",
    "hf": "a folder with both sides as Parquet and a dataset card",
}
_SPEAKERS = {"system": "system", "user": "human", "assistant": "gpt"}
_ROWS = 1000


class Exported(Frozen):
    """``files`` are paths below ``path`` (its own name for a single file) and their rows."""

    format: Format
    path: Path
    files: dict[str, int]
    rows: int
    snapshot: str = ""
    left_out: dict[str, int] = {}


def export_dataset(
    workspace: Workspace,
    loaded: LoadedSpec,
    format: Format,
    out: Path | BinaryIO,
    *,
    snapshot: str | None = None,
    side: Side | None = None,
    people_only: bool = False,
    agreement: Agreement | None = None,
    force: bool = False,
) -> Exported:
    """Write the dataset to ``out``: a snapshot, by default that of now, or one ``side`` of it.

    DPO and KTO are what :func:`studio.dataset.preferences.preferences` finds now, with ``people_only`` of people alone;
    they know no sides. ``out`` may be an open file, but for a folder. ``agreement`` is the judge's with people, for the
    card. Raises UserError where there is nothing to write, where ``out`` holds something else and not ``force``, or
    where it cannot be written.
    """
    if format in ("dpo", "kto"):
        if snapshot is not None or side is not None:
            raise UserError(
                f"{format} is made of all decisions there are now", remedy="leave out --snapshot and --side"
            )
        return _preferences(workspace, loaded, format, out, people_only, force)
    head, frozen = frozen_items(workspace, loaded, snapshot)
    items = sorted(frozen, key=lambda one: one[0].key)
    if format == "hf":
        if side is not None:
            raise UserError("a folder has both sides", remedy="leave out --side")
        if not isinstance(out, Path):
            raise UserError("a folder cannot go to an open file", remedy="name one with --out")
        return _folder(loaded, head, items, out, agreement, force)
    items = [one for one in items if side in (None, one[1])]
    if not items:
        raise UserError(f"the {side} side of {head.id} is empty", remedy="studio dataset snapshot --validation 0.1")
    if format == "parquet":
        data = parquet(items, with_side=True)
    else:
        line = _LINES[format]
        data = "".join(line(item) for item, _ in items).encode()
    return _written(format, out, data, len(items), head.left_out, force, snapshot=head.id)


def _written(
    format: Format,
    out: Path | BinaryIO,
    data: bytes,
    rows: int,
    left_out: dict[str, int],
    force: bool,
    snapshot: str = "",
) -> Exported:
    path = out if isinstance(out, Path) else STREAM
    if isinstance(out, Path):
        write_file(out, data, force)
    else:
        out.write(data)
        out.flush()
    return Exported(format=format, path=path, files={path.name: rows}, rows=rows, snapshot=snapshot, left_out=left_out)


def parquet(items: Sequence[tuple[Item, Side]], *, with_side: bool = False) -> bytes:
    """A Parquet file of ``items`` in their order: id, messages and provenance."""
    import pyarrow
    from pyarrow import parquet as files

    message = pyarrow.struct([("role", pyarrow.string()), ("content", pyarrow.string())])
    names = ("id", "category", "scenario", "person_id", "origin", "author")
    columns = [("messages", pyarrow.list_(message)), *((name, pyarrow.string()) for name in names)]
    schema = pyarrow.schema([*columns, *([("split", pyarrow.string())] if with_side else [])])
    file = io.BytesIO()
    with files.ParquetWriter(file, schema) as writer:
        for start in range(0, len(items), _ROWS):
            rows: list[dict[str, Any]] = []
            for item, side in items[start : start + _ROWS]:
                told: dict[str, Any] = {name: inert_line(getattr(item.text, name)) for name in names}
                told["messages"] = turns(item.text.messages)
                rows.append(told | ({"split": side} if with_side else {}))
            writer.write_batch(pyarrow.RecordBatch.from_pylist(rows, schema))
    return file.getvalue()


def _sharegpt(item: Item) -> str:
    said = [{"from": _SPEAKERS[turn.role], "value": turn.content} for turn in item.text.messages]
    return json_line({"conversations": said})


def _alpaca(item: Item) -> str:
    """Earlier turns are ``history``, pairs of request and reply."""
    messages = item.text.messages
    system = messages[0].content if messages[0].role == "system" else ""
    said = [turn.content for turn in messages if turn.role != "system"]
    history = [[said[at], said[at + 1]] for at in range(0, len(said) - 2, 2)]
    row = {"instruction": said[-2], "input": "", "output": said[-1], "history": history, "system": system}
    return json_line(row)


_LINES: dict[Format, Callable[[Item], str]] = {
    "chatml": lambda item: item.line,
    "sharegpt": _sharegpt,
    "alpaca": _alpaca,
}


def _preferences(
    workspace: Workspace, loaded: LoadedSpec, format: Format, out: Path | BinaryIO, people_only: bool, force: bool
) -> Exported:
    found = preferences(workspace, loaded, people_only=people_only)
    rows: list[dict[str, Any]]
    if format == "dpo":
        rows = [
            {"prompt": turns(one.prompt), "chosen": _reply(one.chosen), "rejected": _reply(one.rejected)}
            for one in found.pairs
        ]
    else:
        rows = [
            {"prompt": turns(one.prompt), "completion": _reply(one.completion), "label": one.label}
            for one in found.labelled
        ]
    if not rows:
        raise UserError(
            "no decision or vote says which reply is better", remedy="studio dataset preferences tells more"
        )
    data = "".join(map(json_line, rows)).encode()
    return _written(format, out, data, len(rows), found.left_out, force)


def _reply(content: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": content}]


def _folder(
    loaded: LoadedSpec,
    head: Snapshot,
    items: Sequence[tuple[Item, Side]],
    out: Path,
    agreement: Agreement | None,
    force: bool,
) -> Exported:
    sides: dict[Side, list[tuple[Item, Side]]] = {"train": [], "validation": []}
    for item, side in items:
        sides[side].append((item, side))
    files = {f"data/{side}-00000-of-00001.parquet": found for side, found in sides.items() if found}
    try:
        there = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} if out.is_dir() else set()
        if others := sorted(there - files.keys() - {CARD}):
            if not force or any(not one.startswith("data/") for one in others):
                remedy = "name a new folder" if force else "name a new folder, or --force to replace its data"
                raise UserError(f"the folder holds other files: {others[0]}", where=str(out), remedy=remedy)
            for other in others:
                (out / other).unlink()
    except OSError as error:
        raise disk_error(error, out, doing="the folder cannot be used", remedy="name another one") from error
    for name, found in files.items():
        write_file(out / name, parquet(found), force)
    write_file(out / CARD, dataset_card(loaded, head, items, agreement).encode(), force)
    counts = {name: len(found) for name, found in files.items()}
    return Exported(format="hf", path=out, files=counts, rows=len(items), snapshot=head.id, left_out=head.left_out)
