"""One training run, from its plan to its adapter. It may take several processes, each going on where one ended."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jinja2 import TemplateError
from pydantic import ValidationError
from transformers import set_seed

from studio.chatml import Message, Messages
from studio.errors import UserError
from studio.train.run import ADAPTER, CHECKPOINTS, WEIGHTS
from studio.train.types import TrainFinished, TrainPlan, TrainStarted
from studio.train.worker.encoding import Encoded, Encoder, encode_all, pin
from studio.train.worker.loading import TRAINED, Loaded, greedy, load, weights_hash
from studio.train.worker.placement import Placement, choose_placement, set_threads
from studio.train.worker.progress import Control, MetricsLog, Progress, last_epoch_loss
from studio.train.worker.trainer import make_trainer

_CPU_ALLOCATOR = ("DefaultCPUAllocator", "not enough memory", "can't allocate memory")


def train(
    plan: TrainPlan, run_dir: Path, control: Control, *, backend: str = "peft", notes: Sequence[str] = ()
) -> TrainFinished:
    """Train, or go on from the newest complete checkpoint. Returns when it is done or was stopped; both save.

    ``notes`` are told with those that come up here.

    The result does not depend on interruptions: not at all on a CPU, on a GPU by no more than its kernels differ from
    one run to the next. Raises :class:`UserError` for what a user can mend.
    """
    with explained(plan):
        placement = choose_placement()
        set_seed(plan.recipe.seed)  # before loading: the adapter's first weights are drawn there
        start = Path(plan.start_path) if plan.start_path else None
        loaded = load(plan.base_path, plan.recipe, placement, backend, start)
        pin(loaded.tokenizer, plan.system_prompt)
        trainable, total = loaded.parameters
        set_threads(total)
        before = weights_hash(loaded.model) if start else ""
        data = prepared(plan, loaded)
        plan = plan.on(data.count)
        note = "; ".join(filter(None, (*notes, *_missing(plan, loaded), *data.notes)))
        checkpoint, step = newest_checkpoint(run_dir / CHECKPOINTS) or (None, 0)
        started = TrainStarted(
            run_id=plan.run_id,
            device=placement.name,
            backend=loaded.backend,
            steps=plan.steps,
            resumed_from=step,
            trainable_parameters=trainable,
            total_parameters=total,
            note=note,
        )
        control.emit(started)
        log = MetricsLog(run_dir, step)
        try:
            progress = Progress(log, plan.steps, control)
            trainer = data.trainer(plan, loaded, placement, progress, run_dir / CHECKPOINTS)
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
            after = weights_hash(loaded.model) if start else ""
            if start and not progress.stopped and after == before:
                remedy = "train with a higher learning rate or more epochs: --lr, --epochs"
                raise UserError("the training has changed nothing: no number of the adapter moved", remedy=remedy)
            adapter = save_adapter(loaded, run_dir, placement)
            return TrainFinished(
                run_id=plan.run_id,
                examples=plan.examples,
                note=note,
                steps=log.steps[-1].step if log.steps else 0,
                loss=last_epoch_loss(log.steps),
                seconds=log.seconds,
                adapter_path=str(adapter),
                adapter_mb=(adapter / WEIGHTS).stat().st_size / 1e6,
                weights_before=before,
                weights_after=after,
                stopped=progress.stopped,
            )
        finally:
            log.close()


@dataclass(frozen=True)
class Prepared:
    """Data as its trainer takes it; ``count`` is how many examples, pairs or labelled replies there are."""

    count: int
    notes: tuple[str, ...]
    trainer: Callable[[TrainPlan, Loaded, Placement, Progress, Path], Any]


def prepared(plan: TrainPlan, loaded: Loaded) -> Prepared:
    """What a run trains on, tokenised and masked. Raises :class:`UserError` where nothing of it can be learned."""
    encoder = Encoder(loaded.tokenizer, plan.recipe.max_length)
    if plan.objective != "sft":
        from studio.train.worker.preference import encode_rows, make_preference_trainer, read_rows

        rows, left_out = encode_rows(encoder, read_rows(plan), plan.recipe.max_length)
        if not rows:
            raise UserError("no reply is within max_length", where=plan.data_path, remedy="raise max_length")
        why = (f"left out, over max_length with its prompt: {left_out}",) if left_out else ()
        return Prepared(len(rows), why, lambda plan, loaded, *more: make_preference_trainer(plan, loaded, rows, *more))
    data, useless = encode_all(encoder, list(read_conversations(Path(plan.data_path))))
    if not data:
        remedy = "accept examples in triage, or raise max_length"
        raise UserError("no conversation has a reply to learn", where=plan.data_path, remedy=remedy)
    notes = tuple(_notes(data, useless))
    return Prepared(len(data), notes, lambda plan, loaded, *more: make_trainer(plan, loaded, data, *more))


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
    loaded.model.save_pretrained(str(fresh), selected_adapters=[TRAINED])
    loaded.tokenizer.save_pretrained(str(fresh))
    greedy(loaded.model, loaded.tokenizer).save_pretrained(str(fresh))
    shutil.rmtree(final, ignore_errors=True)
    return fresh.rename(final)


def _missing(plan: TrainPlan, loaded: Loaded) -> Iterator[str]:
    if missing := loaded.missing(plan.recipe):
        yield f"the base model has no {', '.join(missing)}: no adapter there"


def _notes(data: Sequence[Encoded], useless: int) -> Iterator[str]:
    if useless:
        yield f"left out, no reply within max_length: {useless}"
    if others := sum(not one.as_served for one in data):
        yield f"{others} of {len(data)} replies follow another prompt than serving sends: a quirk of the chat template"


def newest_checkpoint(folder: Path) -> tuple[Path, int] | None:
    """The newest complete checkpoint and its step; None where there is none.

    transformers writes ``trainer_state.json`` last: a checkpoint is complete if and only if that file parses and
    names the step of its folder. Incomplete ones are removed, so that they are not counted among those kept.
    """
    found: list[tuple[int, Path]] = []
    for path in folder.glob("checkpoint-*"):
        try:
            state = json.loads((path / "trainer_state.json").read_text())
        except (OSError, ValueError):
            state = None
        step = state.get("global_step") if isinstance(state, dict) else None
        if isinstance(step, int) and path.name == f"checkpoint-{step}":
            found.append((step, path))
        else:
            shutil.rmtree(path, ignore_errors=True)
    if not found:
        return None
    step, path = max(found)
    return path, step


@contextmanager
def explained(plan: TrainPlan) -> Iterator[None]:
    """Turns the failures that a user can mend into :class:`UserError`; all others pass as they are."""
    try:
        yield
    except UserError:
        raise
    except (torch.OutOfMemoryError, MemoryError):
        raise out_of_memory(plan) from None
    except RuntimeError as error:
        if any(mark in str(error) for mark in _CPU_ALLOCATOR):
            raise out_of_memory(plan) from None
        raise
    except TemplateError as error:
        remedy = "edit the conversations, or choose another base model"
        raise UserError(f"the chat template refuses the data: {error}", where=plan.base_path, remedy=remedy) from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            remedy = "free some space, then resume"
            raise UserError("the disk is full", where=error.filename or "", remedy=remedy) from error
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UserError(reason, where=plan.base_path, remedy="the log has the whole of it") from error


def out_of_memory(plan: TrainPlan) -> UserError:
    """What to lower first: what costs memory and does not change the result, then what does."""
    recipe, ways = plan.recipe, []
    if recipe.micro_batch > 1:
        ways.append(f"micro_batch_size below {recipe.micro_batch} (the batch stays {recipe.batch_size})")
    if recipe.method == "lora":
        ways.append("method qlora")
    ways.append(f"max_length below {recipe.max_length}")
    return UserError("out of memory", where=plan.base_model, remedy=f"train again with {', or '.join(ways)}")
