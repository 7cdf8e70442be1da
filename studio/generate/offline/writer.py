"""Writing a conversation: an example's words exchanged, its phrases recombined, worded by whoever asks."""

from __future__ import annotations

from collections.abc import Collection
from random import Random

from studio.chatml import Message, Messages, last_reply
from studio.dedup import HeldOut
from studio.generate.offline.askers import Askers
from studio.generate.offline.kinds import built_in_kinds, spec_kinds
from studio.generate.offline.mistakes import MISTAKE_RATE, Attempt, Mistakes
from studio.generate.offline.replies import Phrases
from studio.generate.offline.slots import exchanged, templates
from studio.generate.offline.sources import Sources
from studio.generate.offline.wording import Wording
from studio.generate.types import AuthorBrief
from studio.spec import LoadedSpec, Rules, probe_text

_TRIES = 8
"""Drafts before one that breaks a rule, or asks a probe, is handed over as it is: whoever judges will see it."""
_OWN_QUESTION = 0.6
"""How often a person's own question is asked where the scenario answers it."""


class Writer:
    """Writes from one spec, by :meth:`written`. What it writes depends on the brief alone."""

    def __init__(self, loaded: LoadedSpec) -> None:
        spec = loaded.spec
        probes = [probe_text(item) for one in spec.scenarios.values() if one.holdout for item in one.items]
        held_out = sorted({word for _, kept in probes for word in kept})
        kinds = (*spec_kinds(spec, held_out), *built_in_kinds(spec, loaded.context_text, held_out))
        self._held_out = HeldOut(message for message, _ in probes)
        self._askers = Askers(spec, held_out)
        self._rules = Rules.of(spec)
        examples = templates([(example.scenario, example.turns) for example in spec.examples], kinds)
        self._phrases = Phrases(spec, examples)
        self._sources = Sources(spec, examples)
        self._mistakes = Mistakes(spec, examples)
        self._wording = Wording(spec.language, _proper(spec.slots.values()))

    def written(self, brief: AuthorBrief) -> Messages:
        """A conversation for ``brief``. Raises ModelError ``too_little`` where the spec has no example to go by."""
        random = Random(f"{brief.scenario}\x1f{brief.seed}")
        spoil = random.random() < MISTAKE_RATE
        for _ in range(_TRIES):
            attempt = self._draft(brief, random)
            if not self._rules.broken(last_reply(attempt.turns)) and self._held_out.asked_in(attempt.turns) is None:
                break
        return self._mistakes.make(attempt, random) if spoil else attempt.turns

    def _draft(self, brief: AuthorBrief, random: Random) -> Attempt:
        answering = self._sources.answers(brief.person, brief.scenario)
        if answering and random.random() < _OWN_QUESTION:
            template, reply = random.choice(answering)
            asked: Messages = (Message(role="user", content=brief.person.query), reply)
            return Attempt(template, self._phrases.recombined(asked, template, brief.scenario, random), brief.scenario)
        template = self._askers.chosen(self._sources.of(brief.category, brief.scenario), brief.person, random)
        turns = exchanged(template, random, lambda kind, value: self._askers.words(kind, value, brief.person, random))
        turns = self._phrases.recombined(turns, template, brief.scenario, random)
        return Attempt(template, self._asked(turns, brief.person.tone, random), brief.scenario)

    def _asked(self, turns: Messages, tone: str, random: Random) -> Messages:
        return tuple(
            Message(role="user", content=self._wording.worded(turn.content, tone, random, first=index == 0))
            if turn.role == "user"
            else turn
            for index, turn in enumerate(turns)
        )


def _proper(slots: Collection[Collection[str]]) -> set[str]:
    """Single words that the spec's slots write with a capital: names, weekdays."""
    return {value for values in slots for value in values if " " not in value and value[:1].isupper()}
