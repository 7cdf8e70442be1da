"""The builder makes a base model from nothing: a short run of it gives one that loads and speaks."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from studio.spec import held_out_texts, load
from studio.train.pocket.build import build, main
from studio.train.pocket.corpus import conversations
from studio.train.pocket.lexicon import Lexicon, WordList, read_words
from studio.train.pocket.model import Shape
from studio.train.pocket.scene import Scene, past
from studio.train.pocket.task_exchanges import CHANGING
from studio.train.pocket.training import Schedule

SPECS = Path(__file__).parents[2] / "specs"
SMALL = Shape(vocabulary=512, hidden=64, layers=2, heads=2, intermediate=128)


def test_a_short_run_makes_a_model_that_loads_and_generates(tmp_path: Path) -> None:
    short = Schedule(steps=30, batch=8, block=128, warmup=5)
    loss = build(tmp_path, count=300, shape=SMALL, schedule=short)
    assert loss < 5.0  # it begins at ln(512) = 6.2
    tokenizer, model = AutoTokenizer.from_pretrained(tmp_path), AutoModelForCausalLM.from_pretrained(tmp_path)
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Add milk."}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    reply = model.generate(**prompt, max_new_tokens=5, do_sample=False)
    assert reply.shape[1] > prompt["input_ids"].shape[1]
    assert model.dtype == torch.bfloat16


def test_the_corpus_is_the_same_for_the_same_seed() -> None:
    assert list(conversations(20, seed=1)) == list(conversations(20, seed=1)) != list(conversations(20, seed=2))


def test_conversations_alternate_and_end_with_the_assistant() -> None:
    for messages in conversations(200, listed=WordList(("zebra", "quartz"), ("Ada",))):
        turns = [message.role for message in messages if message.role != "system"]
        assert turns == ["user", "assistant"] * (len(turns) // 2)
        assert not any("{" in message.content for message in messages)


def test_the_corpus_says_no_probe_of_a_shipped_spec() -> None:
    specs = [load(SPECS / f"{name}.yaml").spec for name in ("taskmaster", "bank-support", "lost-and-found")]
    held_out = {bare(text) for spec in specs for text in held_out_texts(spec)}
    said = {bare(message.content) for messages in conversations(5000) for message in messages}
    assert len(held_out) > 100 and not held_out & said


def bare(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def test_a_reply_names_what_its_request_named() -> None:
    lexicon = Lexicon(random.Random(3), WordList())
    moving = CHANGING[1]
    for _ in range(20):
        scene = Scene(lexicon)
        [(asked, answered)] = moving.play(lexicon, scene)
        assert scene["date"] in asked and scene["date"] in answered
        assert scene["task"].lower() in asked.lower() and scene["task"].lower() in answered.lower()


def test_past_tense() -> None:
    assert [past(task) for task in ("write a memo", "file it", "reply to Ben", "copy it", "play")] == [
        "wrote a memo",
        "filed it",
        "replied to Ben",
        "copied it",
        "played",
    ]


def test_a_word_list_is_thinned_and_split_into_words_and_names(tmp_path: Path) -> None:
    path = tmp_path / "words"
    path.write_text("\n".join([*(f"w{chr(97 + i)}rd" for i in range(12)), "Ada", "Bob", "it's", "ox"]))
    found = read_words(path)
    assert found == WordList(plain=("ward", "wdrd", "wgrd", "wjrd"), names=("Ada",))


def test_help_says_what_it_makes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "Example: python -m studio.train.pocket.build" in capsys.readouterr().out
