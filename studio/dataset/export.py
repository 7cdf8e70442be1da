"""Export: what was accepted, as ChatML JSONL to train on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from studio.chatml import Frozen
from studio.dataset.read import Sieve
from studio.errors import UserError, disk_error
from studio.files import write_atomic
from studio.spec import LoadedSpec, held_out_texts
from studio.store import Filter, Workspace

STREAM = Path("-")
"""The path of an export that went into an open file."""


class Export(Frozen):
    """``count`` lines in ``path``; ``hash`` is the sha256 of the file, in hex."""

    path: Path
    count: int
    hash: str
    skipped: int = 0
    """Accepted but left out: the sum of the four below."""
    duplicates: int = 0
    """The same conversation again."""
    stale: int = 0
    """Made and judged by another spec."""
    unusable: int = 0
    """Not a conversation to learn from: an empty message, no reply at its end, or a control character."""
    held_out: int = 0
    """Says a message that the spec holds out to measure with, word for word or nearly, or shows such a scenario."""
    snapshot: str = ""
    """The id of the snapshot whose train side it is (:mod:`studio.dataset.snapshots`)."""
    validation_path: Path | None = None
    """The snapshot's validation side; None where it has none."""
    validation_count: int = 0


def export_chatml(
    workspace: Workspace,
    loaded: LoadedSpec | None = None,
    path: Path | BinaryIO | None = None,
    *,
    force: bool = False,
    write: bool = True,
) -> Export:
    """Write every accepted example as ``{"messages": [...]}``, edits in place of what they edit, each text once.

    With ``loaded`` only those of that spec (:attr:`studio.store.Filter.spec_hash`), and nothing that it holds out.
    Lines are in the order of their hashes: the same conversations give the same file, in whatever order they came.
    Without ``path`` it goes into the workspace under a name that tells its content, so that an export which a run was
    trained on is never overwritten. A named file with anything else in it is only overwritten with ``force``; a
    device or a pipe is written to. Without ``write`` only the path and figures are told.
    Raises UserError where it cannot be written.
    """
    lines: dict[bytes, str] = {}
    total, seen = workspace.examples.count(Filter(status="accepted")), 0
    sieve = Sieve(held_out_texts(loaded.spec) if loaded else ())
    wanted = Filter(status="accepted", spec_hash=loaded.hash if loaded else None)
    for _, messages in workspace.examples.conversations(wanted):
        seen += 1
        if taken := sieve.take(messages):
            lines[taken[0]] = taken[1]
    left_out = {"duplicates": sieve.duplicates, "stale": max(0, total - seen)}
    left_out |= {"unusable": sieve.unusable, "held_out": sieve.held_out}
    return write_lines(workspace, lines, left_out, path, force=force, write=write)


def write_lines(
    workspace: Workspace,
    lines: Mapping[bytes, str],
    left_out: Mapping[str, int],
    path: Path | BinaryIO | None = None,
    *,
    force: bool = False,
    write: bool = True,
    name: str = "accepted",
) -> Export:
    """``lines`` by their hashes, in the order of these, as :func:`export_chatml` has them; without ``path`` into the
    workspace, as ``<name>-<hash>.jsonl``."""
    data = "".join(lines[key] for key in sorted(lines)).encode()
    content = hashlib.sha256(data).hexdigest()
    target = path or workspace.exports_dir / f"{name}-{content[:12]}.jsonl"
    if not write:
        pass
    elif isinstance(target, Path):
        write_file(target, data, force or path is None, mode=0o600 if path is None else 0o644)
    else:
        target.write(data)
        target.flush()
    return Export(
        path=target if isinstance(target, Path) else STREAM,
        count=len(lines),
        hash=content,
        skipped=sum(left_out.values()),
        **left_out,
    )


def write_file(path: Path, data: bytes, force: bool, mode: int = 0o644) -> None:
    """Write an export. Raises UserError where it holds something else and not ``force``, or cannot be written."""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_bytes(data)  # a device or a pipe: renamed over, it would be gone
            return
        path = path.resolve()
        there = path.read_bytes() if path.exists() else b""
        if there and there != data and not force:
            raise UserError("it holds something else", where=str(path), remedy="another name, or --force to replace it")
        if there != data or not path.exists():
            write_atomic(path, data, mode=mode)
    except BrokenPipeError:
        raise
    except OSError as error:
        remedy = "name another file; what is accepted is kept in the workspace"
        raise disk_error(error, path, doing="the export could not be written", remedy=remedy) from error
