"""Teaching the network its corpus from scratch: plain language modelling over one long stream of conversations."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from studio.chatml import Frozen, Messages
from studio.train.pocket.model import END_OF_TEXT
from studio.train.pocket.muon import Muon

_BF16 = "AVX512" in torch.backends.cpu.get_cpu_capability()
"""A processor without it takes ten times as long in 16 bits as in 32."""
_HELD_OUT = 40
"""Blocks kept back for validation, at most a tenth of all."""


class Schedule(Frozen):
    """``steps`` optimiser steps of ``batch`` blocks of ``block`` tokens.

    Matrices learn with Muon (https://kellerjordan.github.io/posts/muon/), the embedding and the norms with AdamW. The
    learning rate rises over ``warmup`` steps, holds, and falls in a straight line over the last 60 %.
    """

    steps: int = 1100
    batch: int = 24
    block: int = 256
    learning_rate: float = 3e-3
    muon_learning_rate: float = 0.02
    warmup: int = 40
    hold: float = 0.4

    def factor(self, step: int) -> float:
        """Share of the full learning rate at ``step``."""
        done = step / self.steps
        falling = 1.0 if done < self.hold else max(0.03, (1 - done) / (1 - self.hold))
        return min(1.0, (step + 1) / self.warmup) * falling


@dataclass(frozen=True)
class Report:
    step: int
    loss: float
    seconds: float


def token_blocks(tokenizer: Any, corpus: Sequence[Messages], block: int) -> torch.Tensor:
    """The corpus as token ids of shape (blocks, block); what is left at the end is dropped."""
    end = tokenizer.convert_tokens_to_ids(END_OF_TEXT)
    stream: list[int] = []
    for messages in corpus:
        turns = [message.model_dump() for message in messages]
        stream += [*tokenizer.apply_chat_template(turns, tokenize=True, return_dict=False), end]
    whole = len(stream) // block * block
    return torch.tensor(stream[:whole]).view(-1, block)


def train(model: Any, blocks: torch.Tensor, schedule: Schedule, tell: Callable[[Report], None]) -> float:
    """Train in place; returns the loss on blocks that were held out. ``tell`` hears of every step."""
    kept = max(1, min(_HELD_OUT, len(blocks) // 10))
    held_out, taught = blocks[-kept:], blocks[:-kept]
    optimizers = _optimizers(model, schedule)
    began = time.monotonic()
    model.train()
    for step, batch in zip(range(schedule.steps), _batches(taught, schedule.batch), strict=False):
        _set_rates(optimizers, schedule.factor(step))
        loss = _loss(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        tell(Report(step + 1, loss.item(), time.monotonic() - began))
    model.eval()
    with torch.no_grad():
        return sum(_loss(model, batch).item() for batch in held_out.split(8)) / len(held_out.split(8))


def _loss(model: Any, batch: torch.Tensor) -> torch.Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=_BF16):
        hidden = model.model(input_ids=batch).last_hidden_state
        logits = model.lm_head(hidden[:, :-1])
    return torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), batch[:, 1:].flatten())


def _batches(blocks: torch.Tensor, size: int) -> Iterator[torch.Tensor]:
    """Without end: each pass over the blocks in a new order."""
    while True:
        order = torch.randperm(len(blocks))
        for chosen in order.split(size):
            if len(chosen) == size or len(blocks) < size:
                yield blocks[chosen]


def _optimizers(model: Any, schedule: Schedule) -> list[torch.optim.Optimizer]:
    matrices: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        is_matrix = parameter.ndim == 2 and "embed" not in name and "lm_head" not in name
        (matrices if is_matrix else others).append(parameter)
    optimizers: list[torch.optim.Optimizer] = [
        Muon(matrices, lr=schedule.muon_learning_rate, weight_decay=0.01, momentum=0.95),
        torch.optim.AdamW(others, lr=schedule.learning_rate, betas=(0.9, 0.95), weight_decay=0.0),
    ]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["full_lr"] = group["lr"]
    return optimizers


def _set_rates(optimizers: list[torch.optim.Optimizer], factor: float) -> None:
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["full_lr"] * factor
