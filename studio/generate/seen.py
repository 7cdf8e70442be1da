"""What is there already, and what is held out: the two reasons to reject a conversation before a judge sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from studio.chatml import Messages, digest
from studio.dedup import HeldOut, NearDuplicates
from studio.judge import Judge
from studio.spec import LoadedSpec, Spec, held_out_texts
from studio.store import ExampleStore, Judgement, Neighbour, Violation
from studio.text.sentences import sentences
from studio.text.words import words_of

Reason = Literal["duplicate", "held_out"]


@dataclass(frozen=True)
class Met:
    """``neighbour`` is the nearest conversation before this one; ``reason`` why this one is rejected, if it is."""

    neighbour: Neighbour | None
    reason: Reason | None = None
    name: str = ""
    """What it says again: the neighbour's id, or the probe."""


class Seen:
    """Finds conversations that repeat one another, or a probe.

    Two are near-duplicates if their words are nearly the same, with the persona's set phrases or without: another
    opening makes no other example. Only what may be trained on has duplicates: what is accepted or still to be judged.
    What a judge or a rule rejected makes room for a better one like it; what a person rejected does not.
    """

    def __init__(self, store: ExampleStore, spec: Spec) -> None:
        self._stock = {_plain(phrase) for phrase in spec.vocabulary.prefer}
        self._held_out = HeldOut(held_out_texts(spec))
        self._whole, self._core = NearDuplicates(), NearDuplicates()
        self._ids: set[str] = set()
        for row in store.each():
            self._ids.add(row.example.id)
            if row.status != "rejected" or row.decision is not None:
                self._add(row.example.id, row.messages)

    def __contains__(self, example_id: object) -> bool:
        """Whether an example is there already, whatever became of it."""
        return example_id in self._ids

    def meet(self, example_id: str, messages: Messages) -> Met:
        """How a conversation stands to all others; where that rejects nothing it is one of them from now on."""
        self._ids.add(example_id)
        self._forget(example_id)
        met = self._look(messages)
        if met.reason is None:
            self._add(example_id, messages)
        return met

    def judged(self, example_id: str, judgement: Judgement) -> None:
        """What was met has its judgement: where that is a rejection it stands in nothing's way."""
        if judgement.verdict == "failed":
            self._forget(example_id)

    def _look(self, messages: Messages) -> Met:
        whole, core = self._whole.nearest(_text(messages)), self._core.duplicate_of(self._own_words(messages))
        nearest = whole if core is None or (whole and whole[1] >= self._whole.threshold) else core
        neighbour = Neighbour(id=nearest[0], similarity=nearest[1]) if nearest else None
        if (probe := self._held_out.asked_in(messages)) is not None:
            return Met(neighbour, "held_out", probe)
        if neighbour is not None and neighbour.similarity >= self._whole.threshold:
            return Met(neighbour, "duplicate", neighbour.id)
        return Met(neighbour)

    def _add(self, example_id: str, messages: Messages) -> None:
        self._whole.add(example_id, _text(messages))
        self._core.add(example_id, self._own_words(messages))

    def _forget(self, example_id: str) -> None:
        self._whole.remove(example_id)
        self._core.remove(example_id)

    def _own_words(self, messages: Messages) -> str:
        """What the user says, and the sentences of the replies that are no set phrase."""
        said = [text for turn in messages for text in sentences(turn.content) if not self._is_stock(turn.role, text)]
        return "\n".join(said)

    def _is_stock(self, role: str, sentence: str) -> bool:
        return role == "assistant" and _plain(sentence) in self._stock


def rejection(loaded: LoadedSpec, judge: Judge, messages: Messages, met: Met) -> Judgement:
    """A rule fails it, without a call to ``judge``."""
    assert met.reason is not None, "only what is rejected gets a rejection"
    return Judgement(
        judge=judge.name,
        judge_version=judge.version,
        spec_hash=loaded.hash,
        digest=digest(messages),
        verdict="failed",
        violations=(Violation(kind=met.reason, name=met.name),),
        reasons=(met.reason,),
        at=datetime.now(UTC),
    )


def _text(messages: Messages) -> str:
    return "\n".join(message.content for message in messages)


def _plain(text: str) -> str:
    return " ".join(words_of(text))
