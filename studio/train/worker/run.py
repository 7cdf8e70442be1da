"""One training run, from its plan to its adapter. It may take several processes, each going on where one ended."""

from __future__ import annotations

import errno
import gc
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from jinja2 import TemplateError
from transformers import set_seed

from studio.errors import UserError
from studio.train.memory import ways_to_save
from studio.train.run import ADAPTER, CHECKPOINTS, WEIGHTS
from studio.train.types import MicroBatchHalved, TrainFinished, TrainPlan, TrainStarted
from studio.train.worker.data import prepared, sft_loss
from studio.train.worker.encoding import pin
from studio.train.worker.loading import TRAINED, Loaded, greedy, load, weights_hash
from studio.train.worker.placement import Placement, choose_placement, set_threads
from studio.train.worker.progress import Control, MetricsLog, Progress, last_epoch_loss
from studio.train.worker.validation import Sampler, Validator, points

_CPU_ALLOCATOR = ("DefaultCPUAllocator", "not enough memory", "can't allocate memory")


def train(
    plan: TrainPlan, run_dir: Path, control: Control, *, backend: str = "peft", notes: Sequence[str] = ()
) -> TrainFinished:
    """Train, or go on from the newest complete checkpoint. Returns when it is done or was stopped; both save.

    ``notes`` are told with those that come up here.

    The result does not depend on interruptions: not at all on a CPU, on a GPU by no more than its kernels differ from
    one run to the next. Raises :class:`UserError` for what a user can mend.

    A run that is out of memory goes on by itself, once, from its newest checkpoint with half as many examples at once.
    """
    with explained(plan):
        if plan.objective == "blend":
            from studio.train.worker.blend import blend

            return blend(plan, run_dir, control)
        os.environ["TENSORBOARD_LOGGING_DIR"] = str(run_dir / "logs")
        try:
            return _train(plan, run_dir, control, backend, notes)
        except (RuntimeError, MemoryError) as error:
            fewer = halved(plan)
            if fewer is None or not is_out_of_memory(error):
                raise
        gc.collect()  # whatever the failed attempt held is free by now
        torch.cuda.empty_cache()
        _, step = newest_checkpoint(run_dir / CHECKPOINTS) or (None, 0)
        at_once = fewer.recipe.micro_batch
        control.emit(MicroBatchHalved(micro_batch=at_once, step=step))
        told = f"out of memory at {plan.recipe.micro_batch} examples at once, {at_once} since (the batch stays)"
        return _train(fewer, run_dir, control, backend, (*notes, told))


def _train(plan: TrainPlan, run_dir: Path, control: Control, backend: str, notes: Sequence[str]) -> TrainFinished:
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
        dropped_replies=data.dropped,
        validation_examples=len(data.validation),
        note=note,
    )
    control.emit(started)
    log = MetricsLog(run_dir, step)
    try:
        at = points(plan.steps, plan.recipe)
        validator = Validator(run_dir, at, log.steps, plan.recipe.patience)
        progress = Progress(log, plan.steps, control, validator.losses)
        trainer = data.trainer(plan, loaded, placement, progress, run_dir / CHECKPOINTS)
        if data.validation:
            validator.attach(trainer, partial(data.loss, trainer, plan.recipe.micro_batch))
        if probes := sampled_probes(plan, placement):
            trainer.add_callback(Sampler(run_dir, at, probes, loaded, control.emit, step))
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        taken = log.steps[-1].step if log.steps else 0
        ended = [note]
        if validator.stopped_early:
            ended.append(f"stopped at step {taken} of {plan.steps}: no lower validation loss in {plan.recipe.patience}")
        best = 0 if progress.stopped else validator.restore()
        if best:
            ended.append(f"the adapter is that of step {best} of {taken}: validation loss {validator.loss:.3f}")
        after = weights_hash(loaded.model) if start else ""
        if start and not progress.stopped and after == before:
            remedy = "train with a higher learning rate or more epochs: --lr, --epochs"
            raise UserError("the training has changed nothing: no number of the adapter moved", remedy=remedy)
        adapter = save_adapter(loaded, run_dir, placement)  # in 16 bits from here on
        if not progress.stopped:
            validator.forget()
        return TrainFinished(
            run_id=plan.run_id,
            examples=plan.examples,
            note="; ".join(filter(None, ended)),
            steps=taken,
            loss=last_epoch_loss(log.steps),
            seconds=log.seconds,
            adapter_path=str(adapter),
            adapter_mb=(adapter / WEIGHTS).stat().st_size / 1e6,
            best_step=0 if progress.stopped else validator.best,
            validation_loss=validator.loss,
            sft_loss=None if progress.stopped else sft_loss(plan, loaded),
            weights_before=before,
            weights_after=after,
            stopped=progress.stopped,
        )
    finally:
        log.close()


def sampled_probes(plan: TrainPlan, placement: Placement) -> tuple[str, ...]:
    """The probes that are answered on the way: on a CPU only where that was asked for."""
    wanted = plan.recipe.samples
    return plan.probes if wanted is None and not placement.on_cpu else plan.probes[: wanted or 0]


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
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
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


def is_out_of_memory(error: BaseException) -> bool:
    """On a GPU, or of the CPU's allocator, which has no error of its own."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(mark in str(error) for mark in _CPU_ALLOCATOR)


def halved(plan: TrainPlan) -> TrainPlan | None:
    """The same run with half as many examples at once; None where there are no two halves."""
    fewer = plan.recipe.model_copy(update={"micro_batch_size": plan.recipe.micro_batch // 2})
    if fewer.micro_batch_size < (2 if plan.objective == "kto" else 1):
        return None
    return plan.model_copy(update={"recipe": fewer})


def out_of_memory(plan: TrainPlan) -> UserError:
    ways = ", or ".join(ways_to_save(plan.recipe))
    return UserError("out of memory", where=plan.base_model, remedy=f"train again with {ways}")
