"""From a request to a row of a batch: the chat template, and what fits in the context."""

from __future__ import annotations

import secrets

from jinja2 import TemplateError

from studio.chatml import TEMPLATE_OPTIONS, Messages, system
from studio.serve.worker.models import Served
from studio.serve.worker.rows import Asked
from studio.serve.worker.schema import ChatRequest, RefusalError

DEFAULT_MAX_TOKENS = 512


class Prompter:
    """Turns requests into rows. ``system_prompt`` goes in front of conversations that have none of their own."""

    def __init__(self, served: Served, system_prompt: str | None) -> None:
        self._served, self._system_prompt = served, system_prompt

    def asked(self, request: ChatRequest) -> Asked:
        """Raises :class:`RefusalError`: 404 for an unknown model, 400 for what the template or the context refuses.

        A reply is cut to the room that the prompt leaves; it is refused only where there is none.
        """
        if request.model not in self._served.names:
            known = ", ".join(self._served.names)
            raise RefusalError(404, f"no model {request.model!r} here: {known}", param="model", code="model_not_found")
        prompt = self._rendered(request.conversation)
        room = self._served.context - len(prompt)
        if room < 1:
            message = f"the prompt has {len(prompt)} tokens, and the model's context {self._served.context}"
            raise RefusalError(400, message, param="messages", code="context_length_exceeded")
        return Asked(
            model=request.model,
            prompt=prompt,
            max_tokens=min(room, request.limit or DEFAULT_MAX_TOKENS),
            temperature=1.0 if request.temperature is None else request.temperature,
            top_p=request.top_p or 1.0,
            seed=secrets.randbits(32) if request.seed is None else request.seed % 2**63,
            stop=request.stops,
        )

    def _rendered(self, messages: Messages) -> list[int]:
        if self._system_prompt and messages[0].role != "system":
            messages = (system(self._system_prompt), *messages)
        turns = [message.model_dump() for message in messages]
        try:
            ids = self._served.tokenizer.apply_chat_template(
                turns, add_generation_prompt=True, tokenize=True, return_dict=False, **TEMPLATE_OPTIONS
            )
        except TemplateError as error:
            raise RefusalError(400, f"the chat template refuses the messages: {error}", param="messages") from None
        return list(ids)
