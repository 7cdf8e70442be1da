"""A panel of judges: several models, or several samples of one, whose median stands, with how far they are apart.

A panel of smaller judges of different families agrees with people better than one large judge (Verga et al., 2024,
arXiv 2404.18796). Its marks are medians, which one wild judge does not move; what its members said is kept, so that the
replies on which they are apart can be looked at. Every member is asked on record, as a single judge is.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from studio.chatml import Messages, digest
from studio.judge.judge import Judge
from studio.judge.rules import broken
from studio.judge.scoring import concluded, mark_of, unscored
from studio.judge.types import RULES, Comparison, Finish, Kind, Source
from studio.llm import ChatModel, Request, Sampling, Structured
from studio.llm.types import Completion, Reply
from studio.spec import LoadedSpec
from studio.store.records import Judgement, PanelMark, TraitScore, Violation

WARM = 0.7
"""Temperature of all samples of one judge but the first: at 0 they would be one and the same."""


class Sample:
    """A model asked anew: warm, and with a seed of its own, so that the ledger keeps its answers apart."""

    def __init__(self, model: ChatModel, number: int) -> None:
        self._model, self._number = model, number

    @property
    def name(self) -> str:
        return f"{self._model.name} #{self._number}"

    async def complete(self, request: Request) -> Completion:
        return await self._model.complete(self._warm(request))

    async def structured(self, request: Request, schema: type[Reply]) -> Structured[Reply]:
        return await self._model.structured(self._warm(request), schema)

    def stream(self, request: Request):  # type: ignore[no-untyped-def]
        return self._model.stream(self._warm(request))

    async def close(self) -> None:
        """The first sample closes it."""

    def _warm(self, request: Request) -> Request:
        sampling: Sampling = request.sampling.model_copy(update={"temperature": WARM, "seed": self._number})
        return request.model_copy(update={"sampling": sampling})


class PanelJudge(Judge):
    """Judges whose medians are the marks. A member that fails is left out where most of the others answered."""

    def __init__(self, models: Sequence[ChatModel], loaded: LoadedSpec, samples: int = 1) -> None:
        """Each of ``models`` is asked ``samples`` times."""
        super().__init__(models[0], loaded)
        seats: list[ChatModel] = []
        for model in models:
            seats += [model, *(Sample(model, number) for number in range(2, samples + 1))]
        self._members = [Judge(seat, loaded) for seat in seats]
        times = f" x{samples}" if samples > 1 else ""
        self._panel = " + ".join(f"{model.name}{times}" for model in models)

    @property
    def kind(self) -> Kind:
        return "model"

    @property
    def name(self) -> str:
        """``gpt-5-mini + claude-haiku``, or ``gpt-5-mini x3``."""
        return self._panel

    async def score(
        self,
        messages: Messages,
        scenario: str = "",
        *,
        rules_first: bool = True,
        finish: Finish = "stop",
        source: Source = "author",
    ) -> Judgement:
        """As :meth:`studio.judge.Judge.score`: the median of each trait, and what most say of everything else."""
        violations = await asyncio.to_thread(self.violations, messages)
        if rules_first and broken(violations):
            found = concluded(self._loaded, RULES, violations)
            return found.model_copy(update={"digest": digest(messages), "finish": finish})
        said = await asyncio.gather(
            *(one.score(messages, scenario, rules_first=False, finish=finish, source=source) for one in self._members)
        )
        answered = [one for one in said if one.verdict != "error"]
        first = said[0]
        if len(answered) * 2 <= len(said):
            self._failed()
            why = next((one.error for one in said if one.error), "no answer")
            found = unscored(self._loaded, self.name, f"{len(said) - len(answered)} of {len(said)} judges: {why}")
        else:
            found = self._median(answered, violations)
        same: dict[str, Any] = {
            "digest": first.digest,
            "finish": finish,
            "preferred": first.preferred,
            "panel": _marks(said),
        }
        return found.model_copy(update=same)

    def _median(self, said: Sequence[Judgement], rules: Sequence[Violation]) -> Judgement:
        traits = {name: _middle([one.traits[name] for one in said]) for name in self._loaded.spec.trait_names}
        crossed = [next(v for one in said for v in one.violations if _key(v) == key) for key in _most(said, "boundary")]
        steps = {
            name: sum(one.steps.get(name, False) for one in said) * 2 > len(said)
            for name in dict.fromkeys(step for one in said for step in one.steps)
        }
        off = sum("off_scenario" in one.reasons for one in said) * 2 > len(said)
        return concluded(
            self._loaded,
            self.name,
            [*rules, *crossed],
            traits=traits,
            steps=steps,
            reasons=("off_scenario",) if off else (),
        )

    def _failed(self) -> None:
        self.last_error = next((one.last_error for one in self._members if one.last_error), None)

    async def compare(self, messages: Messages, base: str, tuned: str) -> Comparison:
        """What most of them prefer, each in both orders; a tie where none has most."""
        said = await asyncio.gather(*(one.compare(messages, base, tuned) for one in self._members))
        answered = [one for one in said if one.error is None]
        if len(answered) * 2 <= len(said):
            self._failed()
            return said[0].model_copy(
                update={"judge": self.name, "error": next(one.error for one in said if one.error)}
            )
        winner, votes = Counter(one.winner for one in answered).most_common(1)[0]
        if votes * 2 <= len(answered):
            winner = "tie"
        spoken = next((one for one in answered if one.winner == winner), answered[0])
        return spoken.model_copy(update={"judge": self.name, "winner": winner})

    async def close(self) -> None:
        for one in self._members:
            await one.close()


def _middle(marks: Sequence[TraitScore]) -> TraitScore:
    """The median; between two marks it is kept as an estimate, and the lower of them is the score."""
    middle = median(mark_of(one) for one in marks)
    near = min(marks, key=lambda one: abs(one.score - middle))
    whole = None if middle == int(middle) else middle
    return near.model_copy(update={"score": int(middle), "estimate": whole})


def _key(violation: Violation) -> tuple[str, str]:
    return violation.kind, violation.name


def _most(said: Sequence[Judgement], kind: str) -> list[tuple[str, str]]:
    counts = Counter(_key(one) for each in said for one in each.violations if one.kind == kind)
    return sorted(key for key, count in counts.items() if count * 2 > len(said))


def _marks(said: Iterable[Judgement]) -> tuple[PanelMark, ...]:
    return tuple(
        PanelMark(
            judge=one.judge,
            scores={name: int(trait.score) for name, trait in one.traits.items()},
            total=one.total,
            verdict=one.verdict,
        )
        for one in said
    )


def spread(judgement: Judgement) -> float:
    """How far a panel is apart on one reply, 0..10: the largest total of a member less the smallest; 0 without one."""
    totals = [one.total for one in judgement.panel if one.total is not None]
    return max(totals) - min(totals) if len(totals) > 1 else 0.0


def trait_spreads(judgement: Judgement) -> dict[str, int]:
    """Largest mark less smallest of each trait on which a panel is not of one mind."""
    found = {}
    for name in judgement.traits:
        marks = [one.scores[name] for one in judgement.panel if name in one.scores]
        if marks and max(marks) > min(marks):
            found[name] = max(marks) - min(marks)
    return found


def disagreement(judgement: Judgement) -> tuple[float, int]:
    """Sorts judgements by how far a panel is apart: by totals, then by traits, where totals may be the same."""
    return spread(judgement), sum(trait_spreads(judgement).values())
