"""Lengths of conversations in tokens, before anything heavy is loaded: how many are longer than a run can learn."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

from studio.train.base import file_of

TURN_TOKENS = 4
"""What a chat template puts around a turn, at least."""


def over_length(data: Path, base: str, max_length: int) -> int:
    """Conversations of ``data``, ChatML JSONL, that are over ``max_length`` tokens by the base model's own tokenizer.

    The chat template is not rendered: the worker counts to the token. A token has a byte or more, so that only texts of
    as many bytes are tokenised. 0 where the data or the tokenizer is not there.
    """
    tokenizer_file = file_of(base, "tokenizer.json")
    if tokenizer_file is None or find_spec("tokenizers") is None:
        return 0
    long = []
    try:
        for line in data.read_text(encoding="utf-8").split("\n"):
            if len(line.encode()) > max_length:
                long.append([str(turn["content"]) for turn in json.loads(line)["messages"]])
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    if not long:
        return 0
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_file))

    def tokens(turns: list[str]) -> int:
        return sum(len(tokenizer.encode(turn, add_special_tokens=False).ids) + TURN_TOKENS for turn in turns)

    return sum(tokens(turns) > max_length for turns in long)
