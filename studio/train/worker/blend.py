"""Blend: adapters on one base model, added up by PEFT (``add_weighted_adapter``) and saved as one."""

from __future__ import annotations

import time
from pathlib import Path

from peft import PeftModel
from transformers import AutoTokenizer

from studio.errors import UserError
from studio.train.base import adapter_hash
from studio.train.run import WEIGHTS
from studio.train.types import TrainFinished, TrainPlan, TrainStarted
from studio.train.worker.data import sft_loss
from studio.train.worker.encoding import pin
from studio.train.worker.loading import TRAINED, Loaded, load_weights
from studio.train.worker.placement import choose_placement, set_threads
from studio.train.worker.progress import Control


def blend(plan: TrainPlan, run_dir: Path, control: Control) -> TrainFinished:
    """The run of ``plan``. With ranks added up (``cat``) its change of every weight is exactly the sum of the others';
    with a smaller one the nearest of that rank (``svd``).

    The base model is loaded in 16 or 32 bits, whatever the runs were trained on. Raises :class:`UserError`.
    """
    from studio.train.worker.run import save_adapter

    began, placement = time.monotonic(), choose_placement()
    base = load_weights(plan.base_path, "lora", placement)
    names = [f"part{number}" for number in range(len(plan.blend))]
    ranks = []
    for name, part in zip(names, plan.blend, strict=True):
        try:
            same = adapter_hash(Path(part.path)) == part.hash
        except OSError:
            same = False
        if not same:
            told = f"the adapter of {part.run_id} is gone or has changed"
            raise UserError(told, where=part.path, remedy="blend again")
        if name == names[0]:
            model = PeftModel.from_pretrained(base, part.path, adapter_name=name)
        else:
            model.load_adapter(part.path, name)
        ranks.append(model.peft_config[name].r)
    exact = plan.recipe.rank == sum(ranks)
    how = {"combination_type": "cat"} if exact else {"combination_type": "svd", "svd_rank": plan.recipe.rank}
    model.base_model.add_weighted_adapter(names, [part.weight for part in plan.blend], TRAINED, **how)
    model.set_adapter(TRAINED)
    tokenizer = AutoTokenizer.from_pretrained(plan.blend[0].path)
    pin(tokenizer, plan.system_prompt)
    loaded = Loaded(model, tokenizer, "peft")
    trainable, total = loaded.parameters
    set_threads(total)
    started = {"run_id": plan.run_id, "device": placement.name, "backend": "peft", "steps": 0}
    parameters = {"trainable_parameters": trainable, "total_parameters": total}
    control.emit(TrainStarted.model_validate(started | parameters))
    adapter = save_adapter(loaded, run_dir, placement)
    loss = sft_loss(plan, loaded)
    return TrainFinished(
        run_id=plan.run_id,
        examples=plan.examples,
        note=" + ".join(f"{part.weight:g} x {part.run_id}" for part in plan.blend),
        steps=0,
        loss=loss or 0.0,
        seconds=time.monotonic() - began,
        adapter_path=str(adapter),
        adapter_mb=(adapter / WEIGHTS).stat().st_size / 1e6,
        sft_loss=loss,
    )
