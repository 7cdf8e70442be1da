"""Labels: trait scores and boundary violations that people gave to replies, as JSON lines.

A judge learns from them, and every judge is measured on them. One line a reply::

    {"messages": [...], "labels": {"encouraging": 2}, "boundary": null, "run": "smollm2-a", "split": "locked"}
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, ConfigDict, StrictInt, ValidationError

from studio.chatml import Frozen, Messages, Unicode, digest, last_reply, last_request
from studio.errors import UserError
from studio.judge.types import Source
from studio.spec import LoadedSpec, Spec
from studio.spec.load import UnreadableError, read_text

MOST_BYTES = 64 * 1024 * 1024
Split = Literal["train", "locked"]


def _a_reply(messages: Messages) -> Messages:
    if not messages or messages[-1].role != "assistant" or not last_reply(messages).strip():
        raise ValueError("expected a conversation that ends with a reply of the assistant")
    return messages


def _scores(labels: dict[str, int]) -> dict[str, int]:
    for name, score in labels.items():
        if score not in (0, 1, 2):
            raise ValueError(f"expected 0, 1 or 2 for {name}, found {score}")
    return labels


def source_of(run: str) -> Source:
    """Whether a reply of ``run`` was written by an author or said by a run's model."""
    return "author" if run in ("", "written") else "run"


Conversation = Annotated[Messages, AfterValidator(_a_reply)]


class Reply(Frozen):
    """A conversation whose last reply is to be judged. Keys that are not ours are passed over: recordings have some."""

    model_config = ConfigDict(extra="ignore")
    messages: Conversation
    scenario: str = ""
    """What the user's side is to show; empty: not looked at."""
    run: Unicode = ""
    """As :attr:`Label.run`."""


class Label(Frozen):
    """What a person said of one reply: the last one of ``messages``."""

    messages: Conversation
    labels: Annotated[dict[str, StrictInt], AfterValidator(_scores)]
    """Trait -> 0, 1 or 2. A trait that is not there was not scored."""
    boundary: Unicode | None = None
    """Id of the boundary that the conversation crosses; None: none."""
    run: Unicode = ""
    """The run or model that the reply came from; empty or ``written``: an author wrote it."""
    split: Split = "train"
    """Of a ``locked`` reply nothing is learned and nothing is chosen on it: judges are measured there."""
    by: Unicode = ""
    at: datetime | None = None

    @property
    def source(self) -> Source:
        return source_of(self.run)

    @property
    def group(self) -> str:
        """Replies to the same message belong together, wherever labels are split or resampled."""
        return " ".join(last_request(self.messages).casefold().split())

    def passes(self, spec: Spec) -> bool | None:
        """Whether the person would have it in the dataset; None where a trait was not scored.

        As for a judge: ``success.accept_score`` in all, ``success.accept_trait`` for each trait, no boundary crossed.
        """
        if self.boundary is not None:
            return False
        scores = [self.labels[name] for name in spec.trait_names if name in self.labels]
        if any(score < spec.success.accept_trait for score in scores):
            return False
        if len(scores) < len(spec.traits):
            return None
        return 10 * sum(scores) / (2 * len(scores)) >= spec.success.accept_score


Line = TypeVar("Line", bound=Frozen)


def read_labels(path: Path, spec: Spec) -> tuple[Label, ...]:
    """Every label in ``path``. Raises UserError with the file, the line and what was expected; nothing is half-read."""
    state = None
    with suppress(OSError, ValueError):
        found = path.stat()
        state = (found.st_mtime_ns, found.st_size)
    return _checked(path, state, spec.trait_names, tuple(boundary.id for boundary in spec.boundaries))


def labels_of(loaded: LoadedSpec) -> tuple[Label, ...]:
    """The labels beside a spec; none where there is no such file, or it is empty. Raises as :func:`read_labels`."""
    path = loaded.labels_path
    if path is None or not path.is_file() or path.stat().st_size == 0:
        return ()
    return read_labels(path.absolute(), loaded.spec)


@lru_cache(maxsize=8)
def _checked(path: Path, state: object, traits: tuple[str, ...], boundaries: tuple[str, ...]) -> tuple[Label, ...]:
    """Read again where ``state`` tells that the file has changed."""
    found = _read(path, Label)
    for number, label in found:
        where = f"{path}:{number}"
        if unknown := next((name for name in label.labels if name not in traits), None):
            raise UserError(f"labels: expected one of {', '.join(traits)}, found {unknown}", where=where)
        if label.boundary is not None and label.boundary not in boundaries:
            known = ", ".join(boundaries) or "null: the spec has no boundaries"
            raise UserError(f"boundary: expected null or one of {known}, found {label.boundary}", where=where)
        if not label.labels and label.boundary is None:
            raise UserError("labels: expected the score of a trait, or a boundary", where=where)
    return tuple(label for _, label in found)


def read_replies(path: Path) -> tuple[Reply, ...]:
    """Every conversation in ``path``, with labels or without. Raises UserError as :func:`read_labels` does."""
    return tuple(reply for _, reply in _read(path, Reply))


def training(labels: Iterable[Label]) -> tuple[Label, ...]:
    """What may be learned from."""
    return tuple(label for label in labels if label.split != "locked")


def locked(labels: Iterable[Label]) -> tuple[Label, ...]:
    """What judges are measured on."""
    return tuple(label for label in labels if label.split == "locked")


def labels_hash(labels: Sequence[Label]) -> str:
    """Sixteen hex digits over what was labelled and how, in order; who did it and when does not matter."""
    said = [[digest(label.messages), sorted(label.labels.items()), label.boundary, label.split] for label in labels]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def _read(path: Path, of: type[Line]) -> list[tuple[int, Line]]:
    """(line number, value) of every line that is not blank."""
    try:
        text = read_text(path, MOST_BYTES)
    except UnreadableError as error:
        raise UserError(str(error), where=f"{path}:{error.line}" if error.line > 1 else str(path)) from None
    found: list[tuple[int, Line]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                found.append((number, of.model_validate_json(line)))
            except ValidationError as error:
                raise UserError(_first_problem(error), where=f"{path}:{number}") from None
    if not found:
        raise UserError('expected JSON lines such as {"messages": [...], "labels": {...}}, found none', where=str(path))
    return found


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return "expected one JSON object a line, without line breaks in it"
    place = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
