"""What training is asked, and what it tells while it works. Nothing here imports torch."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from studio.chatml import Frozen

Method = Literal["lora", "qlora"]
Backend = Literal["auto", "peft", "unsloth"]
Logger = Literal["tensorboard", "trackio"]
Objective = Literal["sft", "dpo", "kto", "blend"]
"""What a run minimises: cross-entropy of accepted replies, one of two losses over preferences, or nothing: a blend."""
MAX_EPOCHS = 1000
MAX_BATCH = 4096
MOST_SAMPLES = 8
MAX_SEED = 2**32 - 1
"""What numpy takes."""
ALL_LINEAR = ("all-linear",)
"""As target modules: every linear layer but the output's (PEFT's word)."""
UNDECISIVE = frozenset({"micro_batch_size", "samples", "log_to"})
"""Fields of a recipe that do not decide what comes out of a run."""
TARGET_MODULES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class Recipe(Frozen):
    """The hyperparameters of a run. ``batch_size`` is per optimiser step."""

    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=16, ge=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    target_modules: tuple[str, ...] = TARGET_MODULES
    learning_rate: float = Field(default=2e-4, gt=0, allow_inf_nan=False)
    epochs: float = Field(default=3, gt=0, le=MAX_EPOCHS)
    batch_size: int = Field(default=8, ge=1, le=MAX_BATCH)
    micro_batch_size: int = Field(default=8, ge=1, le=MAX_BATCH)
    """At most so many examples are computed at once. It decides what memory a run takes, not what comes out."""
    scheduler: str = "cosine"
    warmup_ratio: float = Field(default=0.03, ge=0, lt=1)
    max_length: int = Field(default=2048, ge=16)
    """Tokens of a conversation. A reply that is not whole within them is not learned, and counted."""
    validations: int = Field(default=4, ge=0, le=100)
    """Points of a run at which the validation side's loss is measured, where there is one, and samples are drawn."""
    patience: int = Field(default=0, ge=0)
    """Validations in a row without a lower loss after which the run ends; 0: never."""
    log_to: Logger | None = None
    """Where the metrics go too: TensorBoard's files in the run's folder, or trackio's, on this machine."""
    samples: int | None = Field(default=None, ge=0, le=MOST_SAMPLES)
    """Probes that are answered at each point; None: four on a GPU, none on a CPU, where each takes seconds."""
    method: Method = "lora"
    backend: Backend = "auto"
    seed: int = Field(default=0, ge=0, le=MAX_SEED)

    @property
    def micro_batch(self) -> int:
        """Examples that are computed at once: whole parts of a batch, none larger than ``micro_batch_size``."""
        parts = range(1, min(self.micro_batch_size, self.batch_size) + 1)
        return max(size for size in parts if self.batch_size % size == 0)

    def steps(self, examples: int) -> int:
        """Optimiser steps: the last batch of an epoch may be a small one, a part of an epoch is rounded up."""
        return max(1, math.ceil(math.ceil(examples / self.batch_size) * self.epochs))


class PreferenceRecipe(Frozen):
    """What DPO (arXiv:2305.18290) and KTO (arXiv:2402.01306) take beside a recipe."""

    beta: float = Field(default=0.1, gt=0, allow_inf_nan=False)
    """How far the model is held to the reference: the adapter that it starts from."""
    sft_weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    """Of DPO: weight of the chosen reply's own cross-entropy, against a loss that lowers both replies."""
    desirable_weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    undesirable_weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)


class BlendPart(Frozen):
    """An adapter of a blend: of which run, where it lies, what is in it, and how much it counts."""

    run_id: str
    path: str
    hash: str
    weight: float = Field(allow_inf_nan=False)


class MemoryFit(Frozen):
    """What a run will take at its peak, by estimate, and what is free where it will run; in GiB (2^30 bytes)."""

    device: Literal["GPU", "CPU"]
    weights: float
    adapter: float
    """With its gradients and the optimiser's two moments, in 32 bits."""
    activations: float
    """Of a micro batch at ``max_length``: an upper bound where replies are shorter."""
    free: float

    @property
    def needed(self) -> float:
        return self.weights + self.adapter + self.activations

    @property
    def fits(self) -> bool:
        return self.needed <= self.free


class TrainPlan(Frozen):
    """Everything that decides a run. Two runs with the same ``fingerprint`` would be the same run."""

    run_id: str
    base_model: str
    """As the spec names it: ``smollm2``, a hub id or a folder."""
    base_path: str
    """What the worker loads: a folder, or the hub id."""
    recipe: Recipe
    system_prompt: str | None = None
    """Put in front of conversations that have none: what the persona is deployed with."""
    spec_hash: str
    data_path: str
    """ChatML JSONL, one ``{"messages": [...]}`` a line."""
    data_hash: str
    examples: int
    snapshot: str = ""
    """The id of the snapshot of the dataset whose train side this is (:mod:`studio.dataset.snapshots`)."""
    validation_path: str = ""
    """Its validation side, as ``data_path``; empty where it has none. It is not trained on."""
    validation_examples: int = 0
    objective: Objective = "sft"
    parents: tuple[str, ...] = ()
    """Ids of the runs whose adapters this one begins with."""
    start_path: str = ""
    """The folder of the adapter that it goes on from, which is its reference; empty for a fresh one."""
    start_hash: str = ""
    """Of that adapter (:func:`studio.train.base.adapter_hash`)."""
    preference: PreferenceRecipe | None = None
    blend: tuple[BlendPart, ...] = ()
    sft_path: str = ""
    """Of a run of another objective: what SFT learned before it, by which its loss can be compared with SFT's."""
    signals: dict[str, int] = {}
    """Of DPO and KTO: how many signals of each kind and source the data holds."""
    probes: tuple[str, ...] = ()
    """Held-out messages that may be answered while it trains."""
    over_length: int = 0
    """Conversations that are longer than ``max_length``, by a count of tokens without the chat template."""
    suggested_rank: int | None = None
    """The largest usual rank whose adapter is within the spec's limit; None where that is not known."""
    memory: MemoryFit | None = None
    steps: int
    """Optimiser steps that the plan comes to."""
    fingerprint: str
    created: datetime
    adapter_mb: float | None = None
    """What the adapter will take on the disk, in 10^6 bytes; None where the base model's shape is not known."""
    note: str = ""
    """What to know of its adapter, before it is trained and after; empty where there is nothing."""
    warnings: tuple[str, ...] = ()
    """What may go wrong on this machine, or is left out of this data, each with what to change."""

    def on(self, examples: int) -> TrainPlan:
        """The same run where only so many of its conversations turned out to teach anything."""
        return self.model_copy(update={"examples": examples, "steps": self.recipe.steps(examples)})


class TrainParams(Frozen):
    """What a training job is asked. ``save_every_s`` bounds the work that a kill can cost."""

    plan: TrainPlan
    run_dir: str
    save_every_s: float = Field(default=20.0, ge=0)


class TrainStarted(Frozen):
    kind: Literal["train_started"] = "train_started"
    run_id: str
    device: str
    backend: str
    steps: int
    resumed_from: int = 0
    """The step it goes on from; 0 for a new run."""
    trainable_parameters: int
    total_parameters: int
    dropped_replies: int = 0
    """Replies that are not learned, as they are not whole within ``max_length``."""
    validation_examples: int = 0
    """Of the validation side, how many each validation reads."""
    note: str = ""
    """What turned out otherwise than one might think; empty where nothing did."""


class Rewards(Frozen):
    """How a step of DPO or KTO tells chosen (desirable) replies from rejected ones; None where a batch had none.

    A reward is beta times the log-ratio of the reply's likelihood to that by the reference. ``chosen_logps`` is the
    mean log-likelihood of a chosen reply: where it falls, the model unlearns what was good, whatever the margin.
    """

    chosen: float | None = None
    rejected: float | None = None
    margin: float | None = None
    accuracy: float | None = None
    """Share of pairs whose chosen reply has the higher reward (DPO)."""
    chosen_logps: float | None = None
    rejected_logps: float | None = None


class StepLogged(Frozen):
    """After an optimiser step. ``rate`` is steps a second; None, like the ETA, until two steps were measured."""

    kind: Literal["step_logged"] = "step_logged"
    step: int
    steps: int
    loss: float
    learning_rate: float
    epoch: float
    validation_loss: float | None = None
    """Where the run was validated after this step."""
    rewards: Rewards | None = None
    rate: float | None = None
    eta_s: float | None = None


class CheckpointSaved(Frozen):
    kind: Literal["checkpoint_saved"] = "checkpoint_saved"
    step: int
    path: str


class Sampled(Frozen):
    """Probes were answered by what the run is at ``step``; the replies are in its ``samples.jsonl``."""

    kind: Literal["sampled"] = "sampled"
    step: int
    replies: int
    seconds: float


class MicroBatchHalved(Frozen):
    """Memory ran out: the run goes on from ``step`` with so many examples at once. What comes out is the same."""

    kind: Literal["micro_batch_halved"] = "micro_batch_halved"
    micro_batch: int
    step: int


class TrainFinished(Frozen):
    """``loss`` is the mean over the last epoch's steps; ``stopped`` where it was asked to stop (resumable).

    ``examples`` is how many conversations it was trained on; ``note`` as when it started.
    """

    kind: Literal["train_finished"] = "train_finished"
    run_id: str
    examples: int = 0
    note: str = ""
    steps: int
    loss: float
    seconds: float
    adapter_path: str
    adapter_mb: float
    best_step: int = 0
    """The step whose adapter this is; 0 where no validation chose it."""
    validation_loss: float | None = None
    """The lowest, at that step."""
    sft_loss: float | None = None
    """Of a run of another objective than SFT: the adapter's cross-entropy on what SFT learned before it."""
    weights_before: str = ""
    weights_after: str = ""
    """SHA-256 of the adapter's numbers in 16 bits, of a run that went on from another one's adapter."""
    stopped: bool = False


TrainEvent = Annotated[
    TrainStarted | StepLogged | CheckpointSaved | Sampled | MicroBatchHalved | TrainFinished,
    Field(discriminator="kind"),
]


class Run(Frozen):
    """A training run as the workspace remembers it, in ``runs/<id>/run.json``."""

    plan: TrainPlan
    job_id: str = ""
    finished: TrainFinished | None = None

    @property
    def train_loss(self) -> float | None:
        """The cross-entropy of what was accepted, whatever the run's own objective; None where it is not known."""
        if self.finished is None:
            return None
        return self.finished.loss if self.plan.objective == "sft" else self.finished.sft_loss
