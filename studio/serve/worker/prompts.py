"""From a request to a row of a batch: the chat template, and what fits in the context."""

from __future__ import annotations

import secrets

from jinja2 import TemplateError

from studio.chatml import Messages
from studio.serve.worker.models import Served
from studio.serve.worker.rows import Asked
from studio.serve.worker.schema import ChatRequest, RefusalError
from studio.train.worker.encoding import prompt_ids

DEFAULT_MAX_TOKENS = 512


class Prompter:
    """Turns requests into rows."""

    def __init__(self, served: Served) -> None:
        self._served = served

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
        try:
            return prompt_ids(self._served.tokenizer, [message.model_dump() for message in messages])
        except TemplateError as error:
            raise RefusalError(400, f"the chat template refuses the messages: {error}", param="messages") from None
