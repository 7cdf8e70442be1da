"""A preview: the prompts of the next examples, and what those that were made tell of all that are missing."""

from __future__ import annotations

import math

from studio.bank import people_source
from studio.calls import Spent
from studio.chatml import Frozen, Messages
from studio.errors import UserError
from studio.generate.author import author_request
from studio.generate.ledger import Ledger, next_attempts
from studio.generate.plan import Drawn
from studio.generate.shots import AcceptedShots
from studio.generate.spending import spent_by_role, spent_on
from studio.generate.types import GenerateParams, SpentOn
from studio.llm.concurrency import AT_FIRST
from studio.spec import LoadedSpec
from studio.store import Workspace


class Prompted(Frozen):
    """What an author is asked for one example, and on whose behalf."""

    category: str
    scenario: str
    person: str
    messages: Messages


class Projection(Frozen):
    """What the examples that are missing will take. ``cost_usd`` is None where a price is not known."""

    missing: int
    attempts: int
    """Examples to be made so that so many are accepted."""
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    seconds: float
    at_once: int
    """Examples under way at once, by which the time was reckoned."""


class Preview(Frozen):
    """``made`` examples are kept like all others; without an accepted one there is no projection."""

    prompts: tuple[Prompted, ...]
    made: int
    accepted: int
    author: SpentOn
    judge: SpentOn
    projection: Projection | None = None


def next_prompts(loaded: LoadedSpec, workspace: Workspace, params: GenerateParams) -> tuple[Prompted, ...]:
    """What a model will be asked for the next ``params.preview`` examples, in their order. Asks nobody.

    Raises :class:`UserError` where no model writes: nothing is asked then.
    """
    if params.settings.author_offline:
        remedy = "name a model to see what it will be asked: --endpoint URL --model NAME"
        raise UserError("no model is asked for these examples", where="--preview", remedy=remedy)
    known = {name for _, name in workspace.examples.ids()}
    people = people_source(loaded, workspace.examples.people())
    attempts = next_attempts(_ledger(loaded, workspace, params), Drawn(people, params.seed, known), params.preview or 0)
    accepted = AcceptedShots(loaded, workspace)
    return tuple(
        Prompted(
            category=one.category,
            scenario=one.scenario,
            person=one.person.name,
            messages=author_request(loaded, one, accepted=accepted.of(one)).messages,
        )
        for one in attempts
    )


class PreviewMeter:
    """What a preview takes: made before its examples are, read when they are there."""

    def __init__(self, loaded: LoadedSpec, workspace: Workspace, params: GenerateParams) -> None:
        self._loaded, self._workspace, self._params = loaded, workspace, params
        self._author, self._judge = spent_by_role(workspace.examples)
        self._made, self._accepted = self._counts()

    def read(self, prompts: tuple[Prompted, ...]) -> Preview:
        author, judge = spent_by_role(self._workspace.examples)
        now_made, now_accepted = self._counts()
        made, accepted = now_made - self._made, now_accepted - self._accepted
        took = author.minus(self._author), judge.minus(self._judge)
        projection = None
        if made > 0 and accepted > 0:
            # Of answers that were on record already, what such a call takes on average.
            each = [_share(part, made) if part.calls else _share(whole, whole.calls) for part, whole in
                    zip(took, (author, judge), strict=True)]  # fmt: skip
            projection = self._projected(made / accepted, each)
        return Preview(
            prompts=prompts,
            made=made,
            accepted=accepted,
            author=spent_on(took[0]),
            judge=spent_on(took[1]),
            projection=projection,
        )

    def _projected(self, attempts_each: float, each: list[tuple[float, ...]]) -> Projection:
        missing = _ledger(self._loaded, self._workspace, self._params).missing
        attempts = math.ceil(missing * attempts_each)
        at_once = min(self._params.concurrency or AT_FIRST, max(1, attempts))
        calls, unpriced, prompt, completion, seconds, cost = (attempts * sum(part) for part in zip(*each, strict=True))
        return Projection(
            missing=missing,
            attempts=attempts,
            calls=round(calls),
            prompt_tokens=round(prompt),
            completion_tokens=round(completion),
            cost_usd=None if unpriced else cost,
            seconds=seconds / at_once,
            at_once=at_once,
        )

    def _counts(self) -> tuple[int, int]:
        targets = _ledger(self._loaded, self._workspace, self._params).targets()
        accepted = sum(one.accepted for one in targets)
        return accepted + sum(one.rejected + one.pending for one in targets), accepted


def _share(taken: Spent, of: int) -> tuple[float, ...]:
    return tuple(value / max(1, of) for value in taken)


def _ledger(loaded: LoadedSpec, workspace: Workspace, params: GenerateParams) -> Ledger:
    return Ledger(
        loaded,
        workspace,
        params.examples,
        max_attempts=params.max_attempts,
        judged=not params.settings.judging.offline,
    )
