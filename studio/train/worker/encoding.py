"""Chat template, pinned, so that training, serving and the package render a conversation as the very same token ids;
and those with labels, in which only the assistant's words count.

A base model's own template may decide while it renders: whether the model thinks aloud (``enable_thinking``), what day
it is (``strftime_now``), what stands in for a missing system turn. All three are fixed in the template itself, in one
line before it. The tokenizer that trains has it, is saved beside the adapter with it, serves with it and is packed with
it: whoever loads the package gets what trained, without an option that could be forgotten.

    tokenizer = AutoTokenizer.from_pretrained(base)
    pin(tokenizer, "You are the harbour office.")
    tokenizer.apply_chat_template([{"role": "user", "content": "Hello"}])     # with the system turn, without thinking
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from typing import Any

from trl.chat_template_utils import get_training_chat_template, has_generation_markers

from studio.chatml import Messages

IGNORED = -100
"""A label that takes no part in the loss (the value that torch's cross-entropy skips)."""
PINNED_DATE = date(2024, 7, 26)
"""The day that Llama's templates print where there is no clock; any fixed one would do."""
_MARK = "{#- pinned by persona-studio -#}"
_THINKING, _CLOCK = "enable_thinking", "strftime_now"
_DIRECTIVES = ("-d", "-m", "-I", "-H", *"aAbBdejmyYHIMSpFDT")
"""Of strftime, ``-d`` being the day without a zero in front. The date has no time: it is midnight."""


def pinned(template: str, system_prompt: str | None = None) -> str:
    """``template`` with whatever would vary fixed before it; the same one where nothing does.

    ``system_prompt`` stands in front of conversations that have no system turn of their own. A template that is pinned
    already is pinned anew.
    """
    body, parts = original(template), ""
    if _THINKING in body:
        parts += f"{{%- set {_THINKING} = false %}}"
    if _CLOCK in body:
        # A macro in the place of transformers' function. Every block ends without ``-``: what follows stays as it is.
        texts = {f"%{one}": PINNED_DATE.strftime(f"%{one}") for one in _DIRECTIVES}
        days = "".join(f"|replace({json.dumps(one)},{json.dumps(text)})" for one, text in texts.items())
        parts += f"{{%- macro {_CLOCK}(format) -%}}{{{{ format{days} }}}}{{%- endmacro %}}"
    if system_prompt:
        # Jinja reads a string as Python does: JSON's escapes and whatever is beyond ASCII are the same in both.
        turn = f"{{'role': 'system', 'content': {json.dumps(system_prompt, ensure_ascii=False)}}}"
        absent = "{%- if not messages or messages[0]['role'] != 'system' %}"
        parts += f"{absent}{{%- set messages = [{turn}] + messages %}}{{%- endif %}}"
    return f"{_MARK}{parts}\n{body}" if parts else body


def original(template: str) -> str:
    """A template as it was before it was pinned."""
    return template.partition("\n")[2] if template.startswith(_MARK) else template


def pin_as(template: str, other: str) -> str:
    """``other``, another version of the same template, pinned as ``template`` is."""
    return f"{template.partition(chr(10))[0]}\n{other}" if template.startswith(_MARK) else other


def pin(tokenizer: Any, system_prompt: str | None = None) -> None:
    """Pin the template of a tokenizer of transformers; of several the default one, which is then the only one."""
    template = tokenizer.chat_template
    if isinstance(template, dict):
        template = template.get("default")
    tokenizer.chat_template = None if template is None else pinned(template, system_prompt)


@dataclass(frozen=True)
class Encoded:
    """One conversation: ``input_ids`` and ``labels`` of equal length.

    ``as_served``: its last reply follows the very tokens that serving will prompt the model with.
    """

    input_ids: list[int]
    labels: list[int]
    as_served: bool = True
    dropped: int = 0
    """Replies that are not taught, as they are not whole within the length."""

    @property
    def taught(self) -> int:
        """Tokens that the model learns to say. The first token of a sequence is never predicted."""
        return sum(label != IGNORED for label in self.labels[1:])


class Encoder:
    """Applies a tokenizer's chat template (:func:`studio.train.worker.encoding.pin` it before) and masks everything but
    the assistant's turns with their end tokens.

    What is taught is found by the template's own ``{% generation %}`` markers; by those of the version that TRL keeps
    of a template that it knows; or as the tokens that a turn adds to the conversation before it. TRL's versions may
    render a conversation otherwise than the tokenizer's own template does, and some mark the line breaks around a
    reply too. They are used as long as the last reply follows what serving sends.
    """

    def __init__(self, tokenizer: Any, max_length: int) -> None:
        self._tokenizer, self._max_length = tokenizer, max_length
        self._template = _marked_template(tokenizer)

    def encode(self, messages: Messages, *, whole: bool = False) -> Encoded:
        """The conversation cut to ``max_length`` tokens at its end. With ``whole`` a reply that is cut by that is not
        taught: its end would not be."""
        ids, taught, prompt = self._masked(messages)
        dropped = _drop(taught, self._max_length) if whole else 0
        labels = [token if learn else IGNORED for token, learn in zip(ids, taught, strict=True)]
        return Encoded(ids[: self._max_length], labels[: self._max_length], _begins(ids, prompt), dropped)

    def reply(self, messages: Messages) -> tuple[list[int], list[int]]:
        """The ids before the last reply, and those of it that are taught: as :meth:`encode` masks, but never cut."""
        ids, taught, _ = self._masked(messages)
        end = next((at for at in range(len(taught), 0, -1) if taught[at - 1]), 0)
        begin = next((at for at in range(end, 0, -1) if not taught[at - 1]), 0)
        return ids[:begin], ids[begin:end]

    def _masked(self, messages: Messages) -> tuple[list[int], list[bool], list[int]]:
        """The ids of a conversation, which of them are taught, and what serving would ask its last reply with."""
        turns = [message.model_dump() for message in messages]
        last = max((index for index, turn in enumerate(turns) if turn["role"] == "assistant"), default=None)
        prompt = [] if last is None else prompt_ids(self._tokenizer, turns[:last])  # what serving would ask it with
        ids, taught = self._by_markers(turns) if self._template else self._by_growth(turns)
        if self._template and not _begins(ids, prompt):
            grown = self._by_growth(turns)
            ids, taught = grown if _begins(grown[0], prompt) else (ids, taught)
        return ids, taught, prompt

    def _by_markers(self, turns: list[dict[str, str]]) -> tuple[list[int], list[bool]]:
        rendered = self._tokenizer.apply_chat_template(
            turns, chat_template=self._template, tokenize=True, return_dict=True, return_assistant_tokens_mask=True
        )
        return list(rendered["input_ids"]), [bool(one) for one in rendered["assistant_masks"]]

    def _by_growth(self, turns: list[dict[str, str]]) -> tuple[list[int], list[bool]]:
        whole = self._render(turns)
        taught = [False] * len(whole)
        for index, turn in enumerate(turns):
            if turn["role"] != "assistant":
                continue
            before = prompt_ids(self._tokenizer, turns[:index])
            after = self._render(turns[: index + 1])
            # Some templates render earlier turns otherwise than the last one: teach only what is really there.
            start, end = _shared(before, whole), self._end(whole, _shared(after, whole))
            taught[start:end] = [True] * max(0, end - start)
        return whole, taught

    def _end(self, ids: list[int], end: int) -> int:
        """After the token that ends the turn: a line break that a template puts behind it is not the assistant's."""
        ends = self._tokenizer.eos_token_id
        return next((at + 1 for at in range(end - 1, end - 3, -1) if at >= 0 and ids[at] == ends), end)

    def _render(self, turns: list[dict[str, str]]) -> list[int]:
        return list(self._tokenizer.apply_chat_template(turns, tokenize=True, return_dict=False))


def prompt_ids(tokenizer: Any, turns: Sequence[dict[str, str]]) -> list[int]:
    """What serving asks for the next reply with: the token ids of the turns so far and of the beginning of a reply."""
    return list(tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=True, return_dict=False))


def encode_all(encoder: Encoder, conversations: Iterable[Messages]) -> tuple[list[Encoded], int]:
    """All conversations that teach something, and how many did not: no reply is whole within ``max_length``."""
    encoded = [encoder.encode(messages, whole=True) for messages in conversations]
    kept = [one for one in encoded if one.taught]
    return kept, len(encoded) - len(kept)


def _drop(taught: list[bool], length: int) -> int:
    """Teach nothing of replies that end beyond ``length``; how many these are."""
    begins = [at for at, learn in enumerate(taught) if learn and not (at and taught[at - 1])]
    ends = [next((end for end in range(at, len(taught)) if not taught[end]), len(taught)) for at in begins]
    over = [(begin, end) for begin, end in zip(begins, ends, strict=True) if end > length]
    for begin, end in over:
        taught[begin:end] = [False] * (end - begin)
    return len(over)


def _marked_template(tokenizer: Any) -> str | None:
    """The tokenizer's own template where it has generation markers, else TRL's version of it, pinned as the own one is;
    None without either."""
    own = str(tokenizer.chat_template)
    if has_generation_markers(own):
        return own
    plain = copy(tokenizer)
    plain.chat_template = original(own)  # by which TRL knows it
    try:
        return pin_as(own, str(get_training_chat_template(plain)))
    except ValueError:  # not one of the templates that TRL knows
        return None


def _begins(ids: Sequence[int], prompt: Sequence[int]) -> bool:
    return list(ids[: len(prompt)]) == list(prompt)


def _shared(first: Sequence[int], second: Sequence[int]) -> int:
    """Length of the common beginning."""
    alike = (one == other for one, other in zip(first, second, strict=False))
    return sum(1 for _ in takewhile(bool, alike))
