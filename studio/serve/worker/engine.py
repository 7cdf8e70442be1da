"""Making the replies of one batch: rows of base and tuned, side by side, in one pass a token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList
from transformers.generation.streamers import BaseStreamer

from studio.serve.worker.batching import Asked, Row
from studio.serve.worker.models import ADAPTERS, Served

LEAVE_SHARE = 0.25
"""Rows that are over are computed on until so many of a batch are, and are then taken out of it."""


class Engine:
    """Generates batch after batch; one at a time, in whatever thread calls."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._ends = served.ends
        self._pad = served.tokenizer.pad_token_id or next(iter(self._ends), 0)

    def run(self, rows: Sequence[Row]) -> None:
        """Returns when every row is over. Parts are told as they come."""
        longest = max(len(row.asked.prompt) for row in rows)
        gaps = [longest - len(row.asked.prompt) for row in rows]
        # (rows, longest prompt), padded on the left
        padded = [[self._pad] * gap + row.asked.prompt for gap, row in zip(gaps, rows, strict=True)]
        ids = torch.tensor(padded, device=self._served.model.device)
        mask = torch.tensor([[0] * gap + [1] * (longest - gap) for gap in gaps], device=ids.device)
        dice = [dice_of(row.asked) for row in rows]
        cache: Any = None
        while True:
            with torch.inference_mode():
                out = self._generate(rows, dice, ids, mask, cache)
            going = [index for index, row in enumerate(rows) if not row.over]
            if not going:
                return
            kept = torch.tensor(going, device=ids.device)
            cache = out.past_key_values
            cache.batch_select_indices(kept)
            ids = out.sequences[kept]
            mask = torch.cat((mask[kept], mask.new_ones(len(going), ids.shape[1] - mask.shape[1])), dim=1)
            rows, dice = [rows[index] for index in going], [dice[index] for index in going]

    def _generate(
        self, rows: Sequence[Row], dice: Sequence[torch.Generator], ids: torch.Tensor, mask: torch.Tensor, cache: Any
    ) -> Any:
        """Until so many rows are over that it pays to go on without them. ``ids`` and ``mask`` are (rows, tokens so
        far), of which ``cache`` holds the keys and values of all but the last; None holds none."""
        # Greedy, as the model's own config is made to be: the sampler and the rows do what a row wants beyond that.
        config = GenerationConfig(
            max_new_tokens=max(row.asked.max_tokens - row.tokens for row in rows),
            do_sample=False,
            eos_token_id=sorted(self._ends) or None,
            pad_token_id=self._pad,
            use_cache=True,
            return_dict_in_generate=True,
        )
        options: dict[str, Any] = {"past_key_values": cache} if cache is not None else {}
        if self._served.tuned:
            options["adapter_names"] = [ADAPTERS[row.asked.model] for row in rows]
        return self._served.model.generate(
            input_ids=ids,
            attention_mask=mask,
            generation_config=config,
            logits_processor=LogitsProcessorList([RowSampler([row.asked for row in rows], dice)]),
            stopping_criteria=StoppingCriteriaList([_RowsOver(rows)]),
            streamer=_Taker(rows, self._ends, self._served.tokenizer.backend_tokenizer),
            **options,
        )


class _Taker(BaseStreamer):
    """Hands each step's tokens to their rows. generate() calls it before it asks the stopping criteria."""

    def __init__(self, rows: Sequence[Row], ends: frozenset[int], tokenizer: Any) -> None:
        self._rows, self._ends, self._tokenizer = rows, ends, tokenizer
        self._prompt_seen = False

    def put(self, value: torch.Tensor) -> None:
        """The prompts once, of shape (rows, tokens), and then (rows,) a step."""
        if not self._prompt_seen:
            self._prompt_seen = True
            return
        for row, token in zip(self._rows, value.tolist(), strict=True):
            row.take(token, self._ends, self._tokenizer)

    def end(self) -> None:
        pass


class _RowsOver(StoppingCriteria):
    """Ends generating for the rows that are over; for all, once enough of them are for the others to go on alone."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **_: Any) -> torch.BoolTensor:
        over = [row.over for row in self._rows]
        halted = sum(over) >= LEAVE_SHARE * len(over)
        return torch.tensor([halted or one for one in over], device=input_ids.device)


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
