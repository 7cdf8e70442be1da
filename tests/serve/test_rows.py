"""One row: its text token by token, its stop strings, its own dice."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

from studio.serve.worker.batching import Asked, Part, Row
from studio.serve.worker.engine import RowSampler, dice_of, nucleus
from tests.serve.making import BASE_PATH

END = 2


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(BASE_PATH)


def spoken(tokenizer: Any, text: str, *, ends: bool = True, **options: Any) -> list[Part]:
    """The parts told while the tokens of ``text`` come in."""
    parts: list[Part] = []
    row = Row(Asked("base", [1], options.pop("max_tokens", 100), **options), parts.append)
    for token in [*tokenizer.encode(text), *([END] if ends else [])]:
        row.take(token, frozenset({END}), tokenizer.backend_tokenizer)
    return parts


@pytest.mark.parametrize("text", ["Add milk.", "Grüße, 世界! 🎉 ok", "a  b\n\nc"])
def test_the_parts_add_up_to_the_text_whatever_its_script(tokenizer: Any, text: str) -> None:
    parts = spoken(tokenizer, text)
    assert "".join(part.text for part in parts) == text
    assert parts[-1].finish == "stop" and [part.finish for part in parts[:-1]] == [None] * (len(parts) - 1)
    assert not any("\ufffd" in part.text for part in parts)


def test_a_stop_string_never_shows_not_even_its_beginning(tokenizer: Any) -> None:
    parts = spoken(tokenizer, "First line. END of it", stop=("END",))
    assert "".join(part.text for part in parts) == "First line. "
    assert parts[-1].finish == "stop"
    held = spoken(tokenizer, "It will EN", stop=("END",))
    assert "".join(part.text for part in held) == "It will EN", "what only looked like one is told in the end"


def test_the_limit_ends_it(tokenizer: Any) -> None:
    parts = spoken(tokenizer, "one two three four five", max_tokens=2)
    assert parts[-1].finish == "length" and parts[-1].tokens == 2


def test_a_cancelled_row_says_nothing_more(tokenizer: Any) -> None:
    parts: list[Part] = []
    row = Row(Asked("base", [1], 10), parts.append)
    row.cancelled = True
    row.take(tokenizer.encode("x")[0], frozenset({END}), tokenizer.backend_tokenizer)
    assert row.over and parts == []


def drawn(rows: list[Asked], logits: torch.Tensor, steps: int) -> list[list[int]]:
    sampler = RowSampler(rows, [dice_of(row) for row in rows])
    scores = logits.repeat(len(rows), 1)
    ids = torch.zeros(len(rows), 1, dtype=torch.long)
    return [sampler(ids, scores).argmax(-1).tolist() for _ in range(steps)]


def test_sampling_follows_the_probabilities_at_the_temperature() -> None:
    logits = torch.tensor([[2.0, 1.0, 0.0]])
    counts = torch.zeros(3)
    for [token] in drawn([Asked("base", [1], 10, temperature=2.0, seed=1)], logits, 4000):
        counts[token] += 1
    assert torch.allclose(counts / 4000, (logits[0] / 2).softmax(-1), atol=0.03)


def test_a_row_without_temperature_takes_the_likeliest_beside_one_with() -> None:
    rows = [Asked("base", [1], 10, temperature=0), Asked("base", [1], 10, temperature=2, seed=3)]
    columns = list(zip(*drawn(rows, torch.tensor([[1.0, 0.9, 0.8]]), 50), strict=True))
    assert set(columns[0]) == {0} and len(set(columns[1])) == 3


def test_the_nucleus_keeps_the_fewest_tokens_that_reach_the_share() -> None:
    logits = torch.tensor([0.5, 0.3, 0.2]).log()
    assert torch.isfinite(nucleus(logits, 0.5)).tolist() == [True, False, False]
    assert torch.isfinite(nucleus(logits, 0.6)).tolist() == [True, True, False]
    assert torch.isfinite(nucleus(logits, 1.0)).all()
