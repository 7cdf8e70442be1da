"""Fingerprints: what tells one evaluation, and one set of replies, from another; and the file, named by one, of what
was already measured, so that an evaluation that was cut short goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from studio.evaluate.probes import probes
from studio.judge import Agreement, Judge
from studio.judge.types import JudgeInfo
from studio.spec import LoadedSpec
from studio.train import SMOLLM2, adapter_hash
from studio.train.base import identity
from studio.train.smollm2 import HUB_ID
from studio.train.types import Run

Kept = TypeVar("Kept", bound=BaseModel)


class Cache(Generic[Kept]):
    """An append-only JSONL file of values, named by the fingerprint of all that decides them."""

    def __init__(self, path: Path, model: type[Kept]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self._model = path, model

    def load(self) -> list[Kept]:
        """All of them, oldest first. A torn last line (the writer was killed) is left out."""
        found = []
        for line in self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else ():
            with suppress(ValidationError):
                found.append(self._model.model_validate_json(line, extra="ignore"))
        return found

    def add(self, value: Kept) -> None:
        """Durable when this returns."""
        torn = self.path.exists() and not self.path.read_bytes().endswith(b"\n") and self.path.stat().st_size > 0
        with self.path.open("a", encoding="utf-8") as file:
            file.write(("\n" if torn else "") + value.model_dump_json() + "\n")
            file.flush()
            os.fsync(file.fileno())


def fingerprint(loaded: LoadedSpec, run: Run, judge: Judge) -> str:
    """A SHA-256 over all that decides an evaluation: the spec with its probes, the replies and the judge's version."""
    replies = replies_fingerprint(loaded, run)
    return _hash({"spec": loaded.hash, "replies": replies, "judge": [judge.name, judge.version]})


def replies_fingerprint(loaded: LoadedSpec, run: Run) -> str:
    """A SHA-256 over all that decides what the sides reply: the run, the adapter as it lies there, the base model, the
    probes and how long a reply may be."""
    adapter = ""  # where there is none that is whole
    with suppress(OSError):
        adapter = adapter_hash(Path(run.finished.adapter_path)) if run.finished else ""
    return _hash(
        {
            "run": run.plan.run_id,
            "plan": run.plan.fingerprint,
            "adapter": adapter,
            "base": identity(run.plan.base_path),
            "system": [run.plan.system_prompt, loaded.spec.deployment.system_prompt],
            "probes": [one.id for one in probes(loaded)],
            "max_tokens": loaded.spec.deployment.max_tokens,
        }
    )


def judge_info(judge: Judge, agreement: Agreement | None = None) -> JudgeInfo:
    """Who judges, as an evaluation remembers it, with what was measured of its agreement with people."""
    traits = agreement.traits if agreement else {}
    return JudgeInfo(
        name=judge.name,
        version=judge.version,
        kind=judge.kind,
        agreement={name: one.kappa for name, one in traits.items() if one.kappa is not None},
        pass_agreement=agreement.pass_agreement if agreement else None,
    )


def is_trial(base_model: str, deployment: str) -> bool:
    """Whether a run on ``base_model`` only stands in for the model that the persona is to be deployed on."""
    return _resolved(base_model) != _resolved(deployment)


def _resolved(name: str) -> str:
    """A model's name as any other name of it comes to: a hub id, or a folder's real path."""
    folder = Path(name).expanduser()
    return str(folder.resolve()) if folder.is_dir() else HUB_ID if name == SMOLLM2 else name


def _hash(parts: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
