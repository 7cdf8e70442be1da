"""Choosing tokens row by row, so that rows with different settings share a batch and do not disturb each other."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import LogitsProcessor

from studio.serve.worker.rows import Asked


class RowSampler(LogitsProcessor):
    """Makes greedy decoding sample, where a row asks for it.

    Adding Gumbel noise to logits and taking the largest draws from their softmax (the Gumbel-max trick). Each row
    draws from its own generator: a seed gives the same reply whatever else is in the batch.
    """

    def __init__(self, rows: Sequence[Asked], dice: Sequence[torch.Generator]) -> None:
        self._rows, self._dice = rows, dice

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Scores of shape (rows, vocabulary), in which the largest of each row is its next token."""
        if not any(row.temperature for row in self._rows):
            return scores
        chosen = scores.float().clone()
        for index, (row, generator) in enumerate(zip(self._rows, self._dice, strict=True)):
            if row.temperature:
                logits = nucleus(chosen[index] / row.temperature, row.top_p)
                noise = torch.empty(logits.shape).exponential_(generator=generator).log().neg()
                chosen[index] = logits + noise.to(logits.device)
        return chosen


def dice_of(row: Asked) -> torch.Generator:
    """What a row draws its tokens with, from the first to the last."""
    return torch.Generator().manual_seed(row.seed)


def nucleus(logits: torch.Tensor, top_p: float) -> torch.Tensor:
    """Logits in which all but the likeliest tokens that together reach ``top_p`` are -inf (arXiv:1904.09751)."""
    if top_p >= 1:
        return logits
    ordered, places = logits.sort(descending=True)
    before = ordered.softmax(-1).cumsum(-1) - ordered.softmax(-1)
    return logits.scatter(-1, places, ordered.masked_fill(before >= top_p, float("-inf")))
