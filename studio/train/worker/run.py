"""One training run, from its plan to its adapter. It may take several processes, each going on where one ended."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from transformers import set_seed

from studio.chatml import Message, Messages
from studio.errors import UserError
from studio.train.chat_template import pin
from studio.train.folder import ADAPTER, CHECKPOINTS, WEIGHTS
from studio.train.metrics import MetricsLog, last_epoch_loss
from studio.train.types import TrainEvent, TrainFinished, TrainPlan, TrainStarted
from studio.train.worker.checkpoints import newest_checkpoint
from studio.train.worker.encoding import Encoded, Encoder, encode_all
from studio.train.worker.failures import explained
from studio.train.worker.loading import Loaded, greedy, load
from studio.train.worker.placement import Placement, choose_placement, set_threads
from studio.train.worker.progress import Progress
from studio.train.worker.trainer import make_trainer


@dataclass(frozen=True)
class Control:
    """How a run is heard and held: where its events go, whether it is asked to stop, how often it saves."""

    emit: Callable[[TrainEvent], None]
    stopping: Callable[[], bool] = lambda: False
    save_every_s: float = 20.0


def train(
    plan: TrainPlan, run_dir: Path, control: Control, *, backend: str = "peft", notes: Sequence[str] = ()
) -> TrainFinished:
    """Train, or go on from the newest complete checkpoint. Returns when it is done or was stopped; both save.

    ``notes`` are told with those that come up here.

    The result does not depend on interruptions: not at all on a CPU, on a GPU by no more than its kernels differ from
    one run to the next. Raises :class:`UserError` for what a user can mend.
    """
    with explained(plan):
        conversations = list(read_conversations(Path(plan.data_path)))
        placement = choose_placement()
        set_seed(plan.recipe.seed)  # before loading: the adapter's first weights are drawn there
        loaded = load(plan.base_path, plan.recipe, placement, backend)
        pin(loaded.tokenizer, plan.system_prompt)
        set_threads(loaded.parameters[1])
        data, useless = _encoded(plan, loaded, conversations)
        plan = plan.on(len(data))
        note = "; ".join(filter(None, (*notes, *_notes(plan, loaded, data, useless))))
        resume = newest_checkpoint(run_dir / CHECKPOINTS)
        control.emit(_started(plan, loaded, placement, resume[1] if resume else 0, note))
        log = MetricsLog(run_dir, resume[1] if resume else 0)
        try:
            progress = Progress(log, plan.steps, control.emit, control.stopping, control.save_every_s)
            trainer = make_trainer(plan, loaded, data, placement, progress, run_dir / CHECKPOINTS)
            trainer.train(resume_from_checkpoint=str(resume[0]) if resume else None)
            return _finished(plan, save_adapter(loaded, run_dir, placement), log, progress, note)
        finally:
            log.close()


def read_conversations(path: Path) -> Iterator[Messages]:
    """ChatML JSONL: one ``{"messages": [...]}`` a line. Raises :class:`UserError` naming the line."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # not splitlines: replies may hold other line ends
    except FileNotFoundError:
        raise UserError("the training data is gone", where=str(path), remedy="export it again in triage") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield tuple(Message.model_validate(one) for one in json.loads(line)["messages"])
        except (ValueError, KeyError, TypeError, ValidationError):
            raise UserError("not a ChatML conversation", where=f"{path}:{number}") from None


def save_adapter(loaded: Loaded, run_dir: Path, placement: Placement) -> Path:
    """``adapter/`` with the tokenizer and the end tokens beside the weights; the one before stays until the new one is
    whole.

    The weights are written in 16 bits, as base models are.
    """
    dtype = torch.bfloat16 if placement.dtype == torch.float32 else placement.dtype
    for parameter in loaded.model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(dtype)
    final, fresh = run_dir / ADAPTER, run_dir / f".{ADAPTER}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    loaded.model.save_pretrained(str(fresh))
    loaded.tokenizer.save_pretrained(str(fresh))
    greedy(loaded.model, loaded.tokenizer).save_pretrained(str(fresh))
    shutil.rmtree(final, ignore_errors=True)
    return fresh.rename(final)


def _encoded(plan: TrainPlan, loaded: Loaded, conversations: list[Messages]) -> tuple[list[Encoded], int]:
    encoder = Encoder(loaded.tokenizer, plan.recipe.max_length)
    data, useless = encode_all(encoder, conversations)
    if not data:
        remedy = "accept examples in triage, or raise max_length"
        raise UserError("no conversation has a reply to learn", where=plan.data_path, remedy=remedy)
    return data, useless


def _notes(plan: TrainPlan, loaded: Loaded, data: Sequence[Encoded], useless: int) -> Iterator[str]:
    if missing := loaded.missing(plan.recipe):
        yield f"the base model has no {', '.join(missing)}: no adapter there"
    if useless:
        yield f"left out, no reply within max_length: {useless}"
    if others := sum(not one.as_served for one in data):
        yield f"{others} of {len(data)} replies follow another prompt than serving sends: a quirk of the chat template"


def _started(plan: TrainPlan, loaded: Loaded, placement: Placement, step: int, note: str) -> TrainStarted:
    trainable, total = loaded.parameters
    return TrainStarted(
        run_id=plan.run_id,
        device=placement.name,
        backend=loaded.backend,
        steps=plan.steps,
        resumed_from=step,
        trainable_parameters=trainable,
        total_parameters=total,
        note=note,
    )


def _finished(plan: TrainPlan, adapter: Path, log: MetricsLog, progress: Progress, note: str) -> TrainFinished:
    return TrainFinished(
        run_id=plan.run_id,
        examples=plan.examples,
        note=note,
        steps=log.steps[-1].step if log.steps else 0,
        loss=last_epoch_loss(log.steps),
        seconds=log.seconds,
        adapter_path=str(adapter),
        adapter_mb=(adapter / WEIGHTS).stat().st_size / 1e6,
        stopped=progress.stopped,
    )
