"""From a conversation to a prompt."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from transformers import AutoTokenizer

from studio.serve.worker.models import Served
from studio.serve.worker.prompts import Prompter
from studio.serve.worker.schema import ChatRequest
from studio.train.chat_template import pin
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
    asked = Prompter(served).asked(request)
    assert tokenizer.decode(asked.prompt) == "system: Be kind. user: hello no thoughts "
