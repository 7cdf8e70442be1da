"""From a conversation to a prompt."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from transformers import AutoTokenizer

from studio.serve.worker.models import Served
from studio.serve.worker.request import ChatRequest, asked_of
from studio.train.worker.encoding import pin
from tests.serve.making import BASE_PATH

TEMPLATE = (
    "{% for turn in messages %}{{ turn.role }}: {{ turn.content }} {% endfor %}"
    "{% if enable_thinking is defined and not enable_thinking %}no thoughts {% else %}thoughts {% endif %}"
)


def test_a_template_that_can_think_aloud_is_told_not_to() -> None:
    tokenizer: Any = AutoTokenizer.from_pretrained(BASE_PATH)
    tokenizer.chat_template = TEMPLATE
    pin(tokenizer, "Be kind.")
    served = cast(Served, SimpleNamespace(tokenizer=tokenizer, names=("base",), context=100))
    request = ChatRequest.model_validate({"model": "base", "messages": [{"role": "user", "content": "hello"}]})
    asked = asked_of(served, request)
    assert tokenizer.decode(asked.prompt) == "system: Be kind. user: hello no thoughts "


def served(context: int = 1000) -> Served:
    tokenizer: Any = AutoTokenizer.from_pretrained(BASE_PATH)
    return cast(Served, SimpleNamespace(tokenizer=tokenizer, names=("base",), context=context))


def asked_text(**options: Any) -> str:
    messages = options.pop("messages", [{"role": "user", "content": "Who are you?"}])
    request = ChatRequest.model_validate({"model": "base", "messages": messages, **options})
    here = served()
    return str(here.tokenizer.decode(asked_of(here, request).prompt))


def test_the_form_of_an_answer_is_asked_for_in_the_system_turn() -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "person", "schema": schema, "strict": True}}
    told = asked_text(response_format=wanted)
    assert told.startswith("<|im_start|>system\nAnswer with one JSON object") and '"name": {"type": "string"}' in told
    own = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]
    assert "system\nBe kind.\n\nAnswer with one JSON object" in asked_text(messages=own, response_format=wanted)
    assert "JSON" in asked_text(response_format={"type": "json_object"})
    assert asked_text(response_format={"type": "text"}) == asked_text()
