"""Screening: near-duplicates and held-out probes are rejected before a judge sees them, misfits after it."""

from __future__ import annotations

import hashlib
from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from studio.bank import person_text
from studio.bank.people import ANYBODY
from studio.chatml import Messages, digest
from studio.dedup import HeldOut, NearDuplicates
from studio.generate.plan import open_scenarios
from studio.judge import MISFIT, RULES, Judge, marker_fit
from studio.llm import ModelError
from studio.spec import LoadedSpec, Spec, held_out_texts
from studio.store import ExampleStore, Filter, Judgement, Neighbour, Person, Violation
from studio.text.inert import inert_line
from studio.text.sentences import sentences
from studio.text.words import words_of

Reason = Literal["duplicate", "held_out"]
_Signatures = tuple[bytes, bytes]
"""Of the whole conversation, and of it without the persona's set phrases."""
_KEPT_TOGETHER = 256


@dataclass(frozen=True)
class Screened:
    """How a conversation stands to all others: the nearest one before it, and why it is rejected, if it is."""

    neighbour: Neighbour | None
    reason: Reason | None = None
    name: str = ""
    """What it says again: the neighbour's id, or the probe."""


class Screening:
    """Finds conversations that repeat one another, or a probe.

    Two are near-duplicates if their words are nearly the same, with the persona's set phrases or without: another
    opening makes no other example. Only what may be trained on has duplicates: what is accepted or still to be judged,
    in a scenario that the spec has. What a judge or a rule rejected makes room for a better one like it; what a person
    rejected does not.
    """

    def __init__(self, store: ExampleStore, spec: Spec) -> None:
        self._stock = {_plain(phrase) for phrase in spec.vocabulary.prefer}
        self._held_out = HeldOut(held_out_texts(spec))
        self._duplicates = spec.rules.near_duplicates == "reject"
        self._whole, self._core = NearDuplicates(), NearDuplicates()
        stock = hashlib.sha256("\n".join(sorted(self._stock)).encode("utf-8", "replace")).hexdigest()[:16]
        self._kinds = (f"{self._whole.kind} whole", f"{self._core.kind} without {stock}")
        self._store = store
        self._new: dict[str, _Signatures] = {}
        """Of what was screened since; kept once its examples are in the store."""
        self._keep_at = _KEPT_TOGETHER
        self._load(set(open_scenarios(spec)))

    def _load(self, scenarios: Container[tuple[str, str]]) -> None:
        """Index what is there. Signatures that are not kept yet, or no longer, are made and kept now."""
        found = [
            (name, bodies)
            for name, category, scenario, bodies in self._store.signatures(self._kinds)
            if (category, scenario) in scenarios
        ]
        missing = tuple(name for name, bodies in found if None in bodies)
        made: dict[str, _Signatures] = {}
        for name, messages in self._store.conversations(Filter(ids=missing)) if missing else ():
            made[name] = self._new[name] = self._signatures(messages)
            if len(self._new) >= self._keep_at:
                self._keep()
        self._keep()
        self._new.clear()  # what is left cannot be kept
        for number, index in enumerate((self._whole, self._core)):
            index.load((name, made[name][number] if name in made else bodies[number] or b"") for name, bodies in found)

    def screen(self, example_id: str, messages: Messages) -> Screened:
        """How a conversation stands to all others; where that rejects nothing it is one of them from now on."""
        self._forget(example_id)
        signatures = self._signatures(messages)
        whole, core = self._whole.nearest_to(signatures[0]), self._core.nearest_to(signatures[1])
        close = core is not None and core[1] >= self._core.threshold
        nearest = core if close and not (whole and whole[1] >= self._whole.threshold) else whole
        neighbour = Neighbour(id=nearest[0], similarity=nearest[1]) if nearest else None
        if (probe := self._held_out.asked_in(messages)) is not None:
            return Screened(neighbour, "held_out", probe)
        if self._duplicates and neighbour is not None and neighbour.similarity >= self._whole.threshold:
            return Screened(neighbour, "duplicate", neighbour.id)
        self._whole.add_signature(example_id, signatures[0])
        self._core.add_signature(example_id, signatures[1])
        self._new[example_id] = signatures
        if len(self._new) >= self._keep_at:
            self._keep()
        return Screened(neighbour)

    def judged(self, example_id: str, judgement: Judgement) -> None:
        """What was screened has its judgement: where that is a rejection it stands in nothing's way."""
        if judgement.verdict == "failed":
            self._forget(example_id)

    def _signatures(self, messages: Messages) -> _Signatures:
        return self._whole.signature(_text(messages)), self._core.signature(self._own_words(messages))

    def _keep(self) -> None:
        """Keep the signatures of what is stored by now: the next start has no text to read."""
        if self._new and not self._store.database.read_only:
            wanted = [
                (kind, name, body)
                for name, bodies in self._new.items()
                for kind, body in zip(self._kinds, bodies, strict=True)
            ]
            for name in self._store.add_signatures(wanted):
                del self._new[name]
        self._keep_at = len(self._new) + _KEPT_TOGETHER

    def _forget(self, example_id: str) -> None:
        self._new.pop(example_id, None)
        self._whole.remove(example_id)
        self._core.remove(example_id)

    def _own_words(self, messages: Messages) -> str:
        """What the user says, and the sentences of the replies that are no set phrase."""
        said = ((turn.role, text) for turn in messages for text in sentences(turn.content))
        return "\n".join(text for role, text in said if role != "assistant" or _plain(text) not in self._stock)


def rejection(loaded: LoadedSpec, messages: Messages, found: Screened) -> Judgement:
    """A rule fails it, without a call to any judge."""
    assert found.reason is not None, "only what is rejected gets a rejection"
    return Judgement(
        judge=RULES,
        spec_hash=loaded.hash,
        digest=digest(messages),
        verdict="failed",
        violations=(Violation(kind=found.reason, name=found.name),),
        reasons=(found.reason,),
        at=datetime.now(UTC),
    )


async def fitted(judge: Judge, judgement: Judgement, messages: Messages, person: Person | None) -> Judgement:
    """``judgement`` with the fit of the user's side to ``person``; as it is where that is nobody, or it failed already.

    A misfit that a model found fails it, and a model that failed makes an error of it, to be judged again. Where no
    model judges there are style markers, which are kept and fail nothing.
    """
    if person is None or person.id == ANYBODY.id or judgement.verdict not in ("passed", "unscored"):
        return judgement
    try:
        found = await judge.fit(messages, person_text(person))
    except ModelError as error:
        return judgement.model_copy(update={"verdict": "error", "error": inert_line(str(error)), "reasons": ()})
    if found is None:
        return judgement.model_copy(update={"fit": marker_fit(messages, person.chatting_style)})
    failed = {"verdict": "failed", "reasons": (*judgement.reasons, MISFIT)} if found.score == 0 else {}
    return judgement.model_copy(update={"fit": found, **failed})


def _text(messages: Messages) -> str:
    return "\n".join(message.content for message in messages if message.role != "system")


def _plain(text: str) -> str:
    return " ".join(words_of(text))
