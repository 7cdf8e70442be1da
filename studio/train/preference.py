"""Preference learning: a run of DPO or KTO from what decisions and votes say of replies, on the adapter of another run.

SFT teaches what was accepted; these teach what is better than what. A plan is refused where there are too few signals
to learn from, with the count that is missing and where such signals come from.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from studio.errors import UserError
from studio.files import write_atomic
from studio.train.base import adapter_hash, identity
from studio.train.planning import Preset, fingerprint, need_logger, with_recipe
from studio.train.records import find_run
from studio.train.run import base_of, is_done, runs
from studio.train.types import UNDECISIVE, Objective, PreferenceRecipe, Recipe, Run, TrainPlan

if TYPE_CHECKING:
    from studio.dataset.preferences import Preferences
    from studio.spec import LoadedSpec
    from studio.store import Workspace

MINIMUM = 50
"""Pairs of DPO, or labelled replies of KTO."""
LEAST_OF_EACH = 10
"""Desirable and undesirable replies of KTO."""
LEAST_BATCH = 4
"""Of KTO: its estimate of how far the model has moved is a batch's mean (TRL's documentation)."""
MOST_DESIRABLE = 4 / 3
"""weight * count of desirable replies over that of undesirable ones is 1 to this (arXiv:2402.01306, eq. 8)."""
_MIDDLE = 1.15
FROM_PAIRS = "edit a reply in triage, vote between two replies in chat, or decide on two replies to one request"
FROM_LABELS = "accept and reject in triage, edit replies, vote in chat"
_OF_PREFERENCE = frozenset(PreferenceRecipe.model_fields)


def preset_of(objective: Objective, count: int, parent: Recipe) -> Preset:
    """A recipe for ``count`` pairs or replies, on an adapter as ``parent`` made it.

    Learning rates are those that others report for LoRA, ten times those of full fine-tuning; the fewer signals there
    are, the more often each is seen. No controlled study is known at 50 to 500 pairs.
    """
    few, some = count <= 150, count <= 300
    if objective == "dpo":
        changes: dict[str, Any] = {"learning_rate": 2e-5, "batch_size": 8, "micro_batch_size": 4}
        changes["epochs"] = 3 if few else 2 if some else 1
        why = "LoRA's usual rates are 5e-6 to 5e-5; beta 0.1; the chosen reply's own loss keeps it likely"
    else:
        changes = {"learning_rate": 1e-5, "batch_size": 16, "micro_batch_size": 8}
        changes["epochs"] = 5 if few else 3 if some else 2
        why = "ten times the 1e-6 that full fine-tuning bears at beta 0.1; epochs rather than a higher rate"
    changes |= {"warmup_ratio": 0.1, "dropout": 0.0}
    return Preset(name=objective, recipe=with_recipe(parent, changes), why=why)


def weights_of(desirable: int, undesirable: int) -> tuple[float, float]:
    """KTO's weights of the two losses, so that neither side drowns the other: 1 and 1 where the counts allow it."""
    ratio = desirable / undesirable
    if ratio < 1:
        return round(_MIDDLE / ratio, 4), 1.0
    if ratio > MOST_DESIRABLE:
        return 1.0, round(ratio / _MIDDLE, 4)
    return 1.0, 1.0


def parent_run(workspace: Workspace, run_id: str | None = None) -> Run:
    """The run whose adapter is gone on from: the one that is named, else the newest that SFT trained to its end.

    Raises :class:`UserError` where there is none, or it has no whole adapter.
    """
    if run_id is None:
        run = next((one for one in runs(workspace) if one.plan.objective == "sft" and is_done(one)), None)
        if run is None:
            raise UserError("there is no finished run to go on from", remedy="train one first: studio train SPEC")
        return run
    found = find_run(workspace, run_id)
    if not is_done(found):
        raise UserError("the run is not trained to its end", where=run_id, remedy="train it to its end first")
    return found


def sft_data(run: Run) -> str:
    """What SFT learned in the run, or in the one that it goes back to."""
    return run.plan.data_path if run.plan.objective == "sft" else run.plan.sft_path


def signals_of(found: Preferences, objective: Objective) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Lines of the data, in TRL's conversational form, and how many there are of each source or label.

    Raises :class:`UserError` where they are too few, which says how many are missing and where they come from.
    """
    if objective == "dpo":
        pairs = found.pairs
        if (missing := MINIMUM - len(pairs)) > 0:
            told = f"DPO needs {MINIMUM} pairs, and there are {len(pairs)}: {missing} missing"
            raise UserError(told, remedy=f"{FROM_PAIRS}; studio dataset preferences counts them")
        lines = [
            {"prompt": _turns(one.prompt), "chosen": _said(one.chosen), "rejected": _said(one.rejected)}
            for one in pairs
        ]
        return lines, dict(sorted(Counter(str(one.source) for one in pairs).items()))
    labelled = found.labelled
    counts = Counter("desirable" if one.label else "undesirable" for one in labelled)
    lacks = [f"{MINIMUM - len(labelled)} missing"] if len(labelled) < MINIMUM else []
    for kind in ("desirable", "undesirable"):
        if counts[kind] < LEAST_OF_EACH:
            lacks.append(f"{LEAST_OF_EACH - counts[kind]} more {kind} ones")
    if lacks:
        told = f"KTO needs {MINIMUM} replies, at least {LEAST_OF_EACH} of each kind, and there are "
        told += f"{counts['desirable']} desirable and {counts['undesirable']} undesirable: {', '.join(lacks)}"
        raise UserError(told, remedy=f"{FROM_LABELS}; studio dataset preferences counts them")
    rows = [{"prompt": _turns(one.prompt), "completion": _said(one.completion), "label": one.label} for one in labelled]
    return rows, dict(sorted(counts.items()))


def preference_plan(
    loaded: LoadedSpec,
    workspace: Workspace,
    objective: Objective,
    parent: Run,
    *,
    changes: Mapping[str, Any] | None = None,
    people_only: bool = False,
    write: bool = True,
) -> TrainPlan:
    """The run of ``objective`` (``dpo`` or ``kto``) from all signals there are now, on the adapter of ``parent``.

    ``changes`` are made of the preset: fields of :class:`Recipe` and of :class:`PreferenceRecipe`. The adapter's own
    shape (rank, alpha, target modules) is the parent's. Without ``write`` nothing is written. Raises
    :class:`UserError` as :func:`signals_of`, and where a change cannot be made.
    """
    from studio.dataset.preferences import preferences

    assert parent.finished is not None, "only a finished run is gone on from"
    lines, signals = signals_of(preferences(workspace, loaded, people_only=people_only), objective)
    asked = dict(changes or {})
    settings = _settings(objective, signals, {name: asked.pop(name) for name in _OF_PREFERENCE & asked.keys()})
    recipe = _recipe(objective, len(lines), parent.plan.recipe, asked)
    need_logger(recipe.log_to)
    data = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
    content = hashlib.sha256(data).hexdigest()
    path = workspace.exports_dir / f"signals-{objective}-{content[:12]}.jsonl"
    if write and not workspace.read_only:
        write_atomic(path, data, mode=0o600)
    base_path, start = base_of(parent.plan), Path(parent.finished.adapter_path)
    start_hash = adapter_hash(start)
    mark = fingerprint(
        objective=objective,
        start=start_hash,
        base=identity(base_path),
        recipe=recipe.model_dump(mode="json", exclude=set(UNDECISIVE)),
        preference=settings.model_dump(mode="json"),
        system_prompt=parent.plan.system_prompt,
        data=content,
    )
    other = parent.plan.spec_hash != loaded.hash
    return TrainPlan(
        run_id=f"run-{mark[:10]}",
        base_model=parent.plan.base_model,
        base_path=base_path,
        recipe=recipe,
        system_prompt=parent.plan.system_prompt,
        spec_hash=loaded.hash,
        data_path=str(path),
        data_hash=content,
        examples=len(lines),
        objective=objective,
        parents=(parent.plan.run_id,),
        start_path=str(start),
        start_hash=start_hash,
        sft_path=sft_data(parent),
        preference=settings,
        signals=signals,
        steps=recipe.steps(len(lines)),
        fingerprint=mark,
        created=datetime.now(UTC),
        adapter_mb=parent.finished.adapter_mb,
        note=f"{parent.plan.run_id} was trained by another version of the spec" if other else "",
    )


def _settings(objective: Objective, signals: Mapping[str, int], changes: Mapping[str, Any]) -> PreferenceRecipe:
    values: dict[str, Any] = {}
    if objective == "kto":
        weights = weights_of(signals["desirable"], signals["undesirable"])
        values = dict(zip(("desirable_weight", "undesirable_weight"), weights, strict=True))
    try:
        return PreferenceRecipe.model_validate(values | dict(changes))
    except ValidationError as error:
        first = error.errors()[0]
    told = first["msg"].replace("Input should be", "must be")
    raise UserError(told, where=f"recipe: {'.'.join(map(str, first['loc']))}")


def _recipe(objective: Objective, count: int, parent: Recipe, changes: Mapping[str, Any]) -> Recipe:
    shape = {"rank", "alpha", "target_modules", "method"}
    if wrong := sorted(name for name in shape & changes.keys() if changes[name] != getattr(parent, name)):
        told = "a run that goes on from an adapter has its shape"
        raise UserError(told, where=f"recipe: {wrong[0]}", remedy=f"leave out {wrong[0]}, or train SFT anew with it")
    if changes.get("backend") == "unsloth":
        raise UserError("preferences are learned by peft alone", where="recipe: backend", remedy="leave out --backend")
    recipe = with_recipe(preset_of(objective, count, parent).recipe, {**changes, "backend": "peft"})
    if objective == "kto" and (recipe.batch_size < LEAST_BATCH or recipe.micro_batch < 2):
        told = f"KTO takes batches of at least {LEAST_BATCH}, two at once"
        raise UserError(told, where="recipe: batch_size", remedy="--batch-size 16 --micro-batch-size 8")
    return recipe


def _turns(messages: Any) -> list[dict[str, str]]:
    return [{"role": turn.role, "content": turn.content} for turn in messages]


def _said(content: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": content}]
