"""What to serve: both sides of a training run, or a chat model as it is."""

from __future__ import annotations

from studio.errors import UserError
from studio.serve.types import ServeParams
from studio.train import base_of, resolve_base
from studio.train.smollm2 import Tell
from studio.train.types import Run


def run_params(run: Run) -> ServeParams:
    """Its base model, loaded as it was trained on, its adapter and its system prompt.

    May ask the hub for a base model that is no longer on this machine. Raises :class:`UserError` where it cannot be
    had, or the run has no adapter.
    """
    if run.finished is None:
        raise UserError(f"run {run.plan.run_id} has no adapter yet", remedy="train it to its end: studio train SPEC")
    return ServeParams(
        base_path=base_of(run.plan),
        adapter_path=run.finished.adapter_path,
        method=run.plan.recipe.method,
        system_prompt=run.plan.system_prompt,
    )


def model_params(model: str, tell: Tell | None = None) -> ServeParams:
    """A chat model without any adapter, to write or judge: ``smollm2``, a hub id or a folder. It is asked as ``base``.

    May prepare or look for the model, which blocks; ``tell`` hears of it. Raises :class:`UserError` where it cannot be
    had.
    """
    return ServeParams(base_path=resolve_base(model, tell))
