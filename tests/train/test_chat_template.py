"""A pinned chat template renders the same token ids wherever and whenever it is used."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import trl
from transformers import AutoTokenizer
from transformers.utils.chat_template_utils import render_jinja_template

from studio.chatml import Messages, assistant, system, user
from studio.train.smollm2 import CHATML_TEMPLATE
from studio.train.worker.encoding import IGNORED, PINNED_DATE, Encoder, original, pin, pin_as, pinned, prompt_ids
from tests.tiny_model import write_tokenizer

PROMPT = 'Be "calm", it\'s ```over``` {{ now }} %} \\ é 😀.\nAlways.\t'
THINKING = (
    "{%- for turn in messages %}{{ '<|im_start|>' + turn.role + '\n' }}"
    "{%- if turn.role == 'assistant' %}{{ '<think>\n\n</think>\n\n' }}{%- endif %}"
    "{{ turn.content + '<|im_end|>\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}{{ '<think>\n\n</think>\n\n' }}{%- endif %}"
    "{%- endif %}"
)
"""As Qwen3 and GLM do it: without the switch the model is asked to think aloud."""
DATED = (
    "{%- if not date_string is defined %}{%- set date_string = strftime_now('%d %b %Y') %}{%- endif %}"
    "{%- if messages[0].role == 'system' %}{%- set said = messages[0].content %}{%- set messages = messages[1:] %}"
    "{%- else %}{%- set said = '' %}{%- endif %}"
    "{{ '<|im_start|>system\nToday Date: ' + date_string + '\n' + said + '<|im_end|>\n' }}"
    "{%- for turn in messages %}{{ '<|im_start|>' + turn.role + '\n' + turn.content + '<|im_end|>\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{%- endif %}"
)
"""As Llama 3.2 does it."""
MADE = {"markers": CHATML_TEMPLATE, "thinking": THINKING, "dated": DATED}
KNOWN = sorted((Path(trl.__file__).parent / "chat_templates").glob("*.jinja"))
CONVERSATION = (user("Add it."), assistant("Nice work!"), user("And now?"), assistant("Call Ben."))


def tokenizer_of(folder: Path, template: str) -> Any:
    folder.mkdir(exist_ok=True)
    write_tokenizer(folder)
    (folder / "chat_template.jinja").write_text(template)
    return AutoTokenizer.from_pretrained(folder)


def turns(messages: Messages) -> list[dict[str, str]]:
    return [message.model_dump() for message in messages]


@pytest.mark.parametrize("prompt", [None, PROMPT])
@pytest.mark.parametrize("name", MADE)
def test_what_is_saved_asks_with_the_tokens_that_trained(tmp_path: Path, name: str, prompt: str | None) -> None:
    trained = tokenizer_of(tmp_path / "base", MADE[name])
    pin(trained, prompt)
    encoded = Encoder(trained, 1024).encode(CONVERSATION)
    trained.save_pretrained(tmp_path / "adapter")
    plain = AutoTokenizer.from_pretrained(tmp_path / "adapter")
    asked = plain.apply_chat_template(turns(CONVERSATION[:-1]), add_generation_prompt=True)["input_ids"]
    assert encoded.as_served and encoded.input_ids[: len(asked)] == asked
    assert [label for label in encoded.labels[len(asked) :] if label != IGNORED] == [
        *plain("Call Ben.")["input_ids"],
        plain.eos_token_id,
    ]
    text = plain.decode(encoded.input_ids)
    assert (PROMPT in text) == (prompt is not None)
    assert ("26 Jul 2024" in text) == (name == "dated")


def test_without_pinning_the_thinking_switch_and_the_date_would_be_lost(tmp_path: Path) -> None:
    today = date.today().strftime("%d %b %Y")
    for name, expected in (("thinking", "</think>"), ("dated", today)):
        raw, fixed = tokenizer_of(tmp_path / name, MADE[name]), tokenizer_of(tmp_path / name, MADE[name])
        pin(fixed)
        said, kept = (one.decode(prompt_ids(one, turns(CONVERSATION[:1]))) for one in (raw, fixed))
        assert (expected in kept) != (expected in said)


def test_a_switch_that_is_given_all_the_same_changes_nothing(tmp_path: Path) -> None:
    tokenizer = tokenizer_of(tmp_path, THINKING)
    pin(tokenizer)
    ids = tokenizer.apply_chat_template(turns(CONVERSATION[:1]), add_generation_prompt=True, enable_thinking=True)
    assert ids["input_ids"] == prompt_ids(tokenizer, turns(CONVERSATION[:1]))


def test_a_conversation_keeps_a_system_turn_of_its_own(tmp_path: Path) -> None:
    tokenizer, bare = tokenizer_of(tmp_path, CHATML_TEMPLATE), tokenizer_of(tmp_path, CHATML_TEMPLATE)
    pin(tokenizer, "Be kind.")
    own = turns((system("Own."), *CONVERSATION[:1]))
    assert prompt_ids(tokenizer, own) == prompt_ids(bare, own)
    with_prompt = turns((system("Be kind."), *CONVERSATION[:1]))
    assert prompt_ids(tokenizer, turns(CONVERSATION[:1])) == prompt_ids(bare, with_prompt)


@pytest.mark.parametrize("path", KNOWN, ids=lambda path: path.stem)
def test_templates_of_well_known_models_render_as_before(path: Path) -> None:
    raw = path.read_text()
    fixed = pinned(raw, PROMPT)
    asked = turns(CONVERSATION[:3])
    for prompted in (False, True):
        options: dict[str, Any] = {"add_generation_prompt": prompted, "bos_token": "<bos>", "eos_token": "<eos>"}
        said = _rendered(raw, [{"role": "system", "content": PROMPT}, *asked], enable_thinking=False, **options)
        today = [date.today().strftime(style) for style in ("%d %b %Y", "%Y-%m-%d")]
        then = [PINNED_DATE.strftime(style) for style in ("%d %b %Y", "%Y-%m-%d")]
        if "strftime_now" in raw:
            for now, day in zip(today, then, strict=True):
                said = said.replace(now, day)
        assert _rendered(fixed, asked, **options) == said


def test_pinning_is_exact_and_can_be_taken_back() -> None:
    for template in (*MADE.values(), *(path.read_text() for path in KNOWN)):
        assert original(pinned(template, PROMPT)) == template
        assert pinned(pinned(template, "Another."), PROMPT) == pinned(template, PROMPT)
        assert pin_as(pinned(template, PROMPT), template) == pinned(template, PROMPT)
    assert pinned(CHATML_TEMPLATE) == CHATML_TEMPLATE, "nothing varies in it"


def test_of_several_templates_the_default_one_is_pinned(tmp_path: Path) -> None:
    tokenizer = tokenizer_of(tmp_path, CHATML_TEMPLATE)
    tokenizer.chat_template = {"default": THINKING, "tool_use": "other"}
    pin(tokenizer)
    assert tokenizer.chat_template == pinned(THINKING)


def _rendered(template: str, messages: list[dict[str, str]], **options: Any) -> str:
    """Or why it cannot be: some take no system turn."""
    try:
        return str(render_jinja_template(conversations=[messages], chat_template=template, **options)[0][0])
    except Exception as error:
        return f"{type(error).__name__}: {error}"
