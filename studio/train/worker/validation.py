"""Validation while a run trains: the loss of replies that it does not learn, the best adapter kept, an early stop, and
samples of what it says by then.

All of it at a few points of a run (:func:`points`), which follow from the plan alone: a run that is gone on with comes
to the same ones. Nothing here draws random numbers, so what is trained stays the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import TrainerCallback

from studio.files import write_atomic
from studio.train.run import Sample, StepMetrics, read_samples, samples_file
from studio.train.types import Recipe, Sampled, TrainEvent
from studio.train.worker.encoding import Encoded, prompt_ids
from studio.train.worker.loading import TRAINED, Loaded, greedy

LEAST_ROWS, SHARE = 16, 0.08
"""Rows of a validation: so many, or more as long as all validations together read no more than this share of what is
trained on. A row is read forward alone, in a third of the time that it takes to learn one."""
SAMPLE_TOKENS = 48


def points(steps: int, recipe: Recipe) -> frozenset[int]:
    """The steps after which a run is validated and sampled: evenly spread, the last one among them."""
    count = min(recipe.validations, steps)
    return frozenset(-(-steps * number // count) for number in range(1, count + 1))


def rows_of_a_validation(there: int, trained: int, recipe: Recipe) -> int:
    """Of ``there`` rows on the validation side, where ``trained`` examples are learned in each epoch."""
    affordable = int(SHARE * trained * recipe.epochs / max(1, recipe.validations))
    return min(there, max(LEAST_ROWS, affordable))


def mean_loss(trainer: Any, rows: Sequence[Mapping[str, Any]], weights: Sequence[int], at_once: int) -> float:
    """The trainer's own loss over ``rows`` without learning from them, each row counted by its weight (tokens)."""
    model, total = trainer.model, 0.0
    was = model.training
    model.eval()
    try:
        with torch.no_grad(), trainer.compute_loss_context_manager():
            for start in range(0, len(rows), at_once):
                batch = trainer.data_collator([dict(row) for row in rows[start : start + at_once]])
                loss = trainer.compute_loss(model, trainer._prepare_inputs(batch))
                total += float(loss) * sum(weights[start : start + at_once])
    finally:
        model.train(was)
    return total / sum(weights)


class Validator(TrainerCallback):
    """Put before :class:`studio.train.worker.progress.Progress`, which tells the losses that are found here.

    ``steps`` are those already taken, with their validation losses. ``patience`` validations without a lower loss end
    the run; 0 never does.
    """

    def __init__(self, run_dir: Path, at: frozenset[int], steps: Sequence[StepMetrics], patience: int) -> None:
        self._folder, self._at, self._patience = run_dir, at, patience
        self.losses = {one.step: one.validation_loss for one in steps if one.validation_loss is not None}
        self._measure: Callable[[], float] | None = None
        self._model: Any = None
        self.stopped_early = False

    def attach(self, trainer: Any, measure: Callable[[], float]) -> None:
        """Have ``trainer`` validated; what it logs, wherever to, tells the loss too."""
        self._measure, self._model = measure, trainer.model
        log = trainer.log

        def with_loss(logs: dict[str, float], *more: Any) -> None:
            step = trainer.state.global_step
            log({**logs, "eval_loss": self.losses[step]} if step in self.losses else logs, *more)

        trainer.log = with_loss
        trainer.add_callback(self)

    @property
    def best(self) -> int:
        """The step of the lowest loss, the earliest of several; 0 before any."""
        return min(self.losses, key=lambda step: (self.losses[step], step), default=0)

    @property
    def loss(self) -> float | None:
        return self.losses.get(self.best)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        step = state.global_step
        if self._measure is None or step not in self._at:
            return
        self.losses[step] = self._measure()
        if self.best == step:
            self._save(step)
        since = sum(one > self.best for one in self.losses)
        if self._patience and since >= self._patience and step < state.max_steps:
            self.stopped_early = control.should_training_stop = True

    def restore(self) -> int:
        """Give the model the best adapter; its step, or 0 where what it has is the best that there is."""
        path, last = self._path(self.best), max(self.losses, default=0)
        if not self.losses or self.best == last or not path.is_file():
            return 0
        set_peft_model_state_dict(self._model, load_file(path), adapter_name=TRAINED)
        return self.best

    def forget(self) -> None:
        """Remove the adapters that were kept on the way."""
        for path in self._folder.glob("best-*.safetensors"):
            path.unlink(missing_ok=True)

    def _path(self, step: int) -> Path:
        return self._folder / f"best-{step}.safetensors"

    def _save(self, step: int) -> None:
        """In 16 bits, as the adapter is saved. Those before stay until the end: a run may be gone on with from a step
        at which one of them was the best."""
        state = get_peft_model_state_dict(self._model, adapter_name=TRAINED)
        kept = {name: tensor.detach().to("cpu", torch.bfloat16).contiguous() for name, tensor in state.items()}
        fresh = self._path(step).with_suffix(".new")
        save_file(kept, fresh)
        fresh.replace(self._path(step))


def cross_entropy(model: Any, rows: Sequence[Encoded]) -> float:
    """Mean loss of the taught tokens of ``rows``, one after the other, as SFT has it."""
    was, total = model.training, 0.0
    model.eval()
    try:
        with torch.no_grad():
            for one in rows:
                ids, labels = (torch.tensor([part], device=model.device) for part in (one.input_ids, one.labels))
                total += float(model(input_ids=ids, labels=labels, use_cache=False).loss) * one.taught
    finally:
        model.train(was)
    return total / sum(one.taught for one in rows)


class Sampler(TrainerCallback):
    """Replies to a few probes before the first step and at each point of a run, in ``samples.jsonl``."""

    def __init__(
        self,
        run_dir: Path,
        at: frozenset[int],
        probes: Sequence[str],
        loaded: Loaded,
        emit: Callable[[TrainEvent], None],
        step: int,
    ) -> None:
        self._run_dir, self._at, self._probes, self._loaded, self._emit = run_dir, at, tuple(probes), loaded, emit
        known = [one for one in read_samples(run_dir) if one.step <= step]
        write_atomic(samples_file(run_dir), "".join(f"{one.model_dump_json()}\n" for one in known))

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == 0:
            self._sample(0)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step in self._at:
            self._sample(state.global_step)

    def _sample(self, step: int) -> None:
        began = time.monotonic()
        replies = generated(self._loaded, self._probes)
        with samples_file(self._run_dir).open("a", encoding="utf-8") as file:
            for probe, reply in zip(self._probes, replies, strict=True):
                file.write(Sample(step=step, probe=probe, reply=reply).model_dump_json() + "\n")
        self._emit(Sampled(step=step, replies=len(replies), seconds=time.monotonic() - began))


def generated(loaded: Loaded, probes: Sequence[str], tokens: int = SAMPLE_TOKENS) -> list[str]:
    """A greedy reply to each, all at once, of at most ``tokens`` tokens."""
    model, tokenizer = loaded.model, loaded.tokenizer
    asked = [prompt_ids(tokenizer, [{"role": "user", "content": probe}]) for probe in probes]
    longest, pad = max(map(len, asked)), tokenizer.pad_token_id
    ids = torch.tensor([[pad] * (longest - len(one)) + one for one in asked], device=model.device)
    mask = torch.tensor([[0] * (longest - len(one)) + [1] * len(one) for one in asked], device=model.device)
    was = model.training
    model.eval()
    try:
        with torch.no_grad():
            said = model.generate(
                input_ids=ids,
                attention_mask=mask,
                generation_config=greedy(model, tokenizer),
                max_new_tokens=tokens,
                use_cache=True,
            )
    finally:
        model.train(was)
    return [str(one) for one in tokenizer.batch_decode(said[:, longest:], skip_special_tokens=True)]
