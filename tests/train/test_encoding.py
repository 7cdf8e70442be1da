"""Only the assistant's words are learnt, with the token that ends them, whatever the chat template."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import trl
from transformers import AutoTokenizer

from studio.chatml import assistant, user
from studio.train.worker.encoding import IGNORED, Encoded, Encoder, encode_all, pin, prompt_ids
from tests.tiny_model import tiny_base
from tests.train.making import two_turns

TEMPLATES = Path(trl.__file__).parent / "chat_templates"
KNOWN = sorted(
    path.stem
    for path in TEMPLATES.glob("*.jinja")
    if not path.stem.endswith("_training") and path.stem not in ("gemma", "llava_next")  # no system prompt; no text
)
"""Templates of well-known models, as TRL keeps them."""


@pytest.fixture
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(tiny_base())


def taught_text(tokenizer: Any, encoded: Encoded) -> str:
    return str(tokenizer.decode([label for label in encoded.labels if label != IGNORED]))


def test_every_reply_is_taught_with_its_end_and_nothing_else(tokenizer: Any) -> None:
    encoded = Encoder(tokenizer, 512).encode(two_turns())
    assert taught_text(tokenizer, encoded) == "Great choice! It is on your list.<|im_end|>Nice work!<|im_end|>"
    assert tokenizer.decode(encoded.input_ids) == tokenizer.apply_chat_template(
        [message.model_dump() for message in two_turns()], tokenize=False
    )


def test_a_template_without_markers_gives_the_same_labels(tokenizer: Any) -> None:
    marked = Encoder(tokenizer, 512).encode(two_turns())
    tokenizer.chat_template = re.sub(r"\{% (end)?generation %\}", "", tokenizer.chat_template)
    assert Encoder(tokenizer, 512).encode(two_turns()) == marked


@pytest.mark.parametrize("name", KNOWN)
def test_a_reply_is_learnt_after_what_serving_sends(tokenizer: Any, name: str) -> None:
    tokenizer.chat_template = (TEMPLATES / f"{name}.jinja").read_text()
    tokenizer.add_special_tokens({"bos_token": "<bos>"})
    pin(tokenizer)
    for messages in (two_turns(), two_turns()[1:3]):
        encoded = Encoder(tokenizer, 4096).encode(messages)
        turns = [message.model_dump() for message in messages[:-1]]
        asked = prompt_ids(tokenizer, turns)
        assert encoded.as_served == (encoded.input_ids[: len(asked)] == asked)
        assert encoded.as_served or name.startswith("deepseek")  # which are served an open thought


def test_a_conversation_is_cut_at_its_end_and_left_out_when_no_reply_remains(tokenizer: Any) -> None:
    long = (user("word " * 100), assistant("Yes."))
    short = (user("Hi"), assistant("Hello."))
    kept, useless = encode_all(Encoder(tokenizer, 32), [long, short])
    assert (len(kept), useless) == (1, 1)
    assert len(Encoder(tokenizer, 32).encode(long).input_ids) == 32
