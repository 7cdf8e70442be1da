"""Fingerprints: what tells one evaluation, and one set of replies, from another. And what an evaluation is of."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from studio.evaluate.probes import probes
from studio.evaluate.types import JudgeInfo
from studio.judge import Agreement, Judge
from studio.spec import LoadedSpec
from studio.train.identity import adapter_hash, identity
from studio.train.smollm2 import HUB_ID, SMOLLM2
from studio.train.types import Run

ALIASES = {SMOLLM2: HUB_ID}
"""Names that a spec and ``--base`` may use for a model of the hub."""


def fingerprint(loaded: LoadedSpec, run: Run, judge: Judge) -> str:
    """A SHA-256 over all that decides an evaluation: the spec with its probes, the replies and the judge's version."""
    replies = replies_fingerprint(loaded, run)
    return _hash({"spec": loaded.hash, "replies": replies, "judge": [judge.name, judge.version]})


def replies_fingerprint(loaded: LoadedSpec, run: Run) -> str:
    """A SHA-256 over all that decides what the sides reply: the run, the adapter as it lies there, the base model, the
    probes and how long a reply may be."""
    return _hash(
        {
            "run": run.plan.run_id,
            "plan": run.plan.fingerprint,
            "adapter": _adapter(run),
            "base": identity(run.plan.base_path),
            "system": [run.plan.system_prompt, loaded.spec.deployment.system_prompt],
            "probes": [one.id for one in probes(loaded)],
            "max_tokens": loaded.spec.deployment.max_tokens,
        }
    )


def _adapter(run: Run) -> str:
    """Hash of the run's adapter; empty where it has none."""
    try:
        return adapter_hash(Path(run.finished.adapter_path)) if run.finished else ""
    except OSError:
        return ""


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
    return str(folder.resolve()) if folder.is_dir() else ALIASES.get(name.lower(), name)


def _hash(parts: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
