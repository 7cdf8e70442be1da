"""A report of what recipes made: counts, agreement of solutions, duplicates, lengths, validity and cost, by run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median

from studio.chatml import Frozen
from studio.generate.recipes.agreement import wanted
from studio.generate.recipes.made import DUPLICATE, RecipeMade, RecipeRun, made_by, removed_of
from studio.generate.recipes.review import Review, Validity
from studio.llm.prices import total
from studio.store import Documents
from studio.text.words import words_of


class Agreed(Frozen):
    """How far solutions agree, over every problem that was solved, kept or not. ``all`` of the samples, ``enough`` of
    them, or ``none``: too few for a majority."""

    solved: int
    all: int
    enough: int
    none: int

    @property
    def share(self) -> float:
        """Of problems with an agreed answer, 0..1."""
        return (self.all + self.enough) / self.solved


class Lengths(Frozen):
    """Of the texts, in words."""

    least: int
    median: float
    most: int


class RunReport(Frozen):
    """One run. ``tries`` is all that was answered: what counts, what was removed, and what was given up."""

    kind: str
    recipe: str
    shots: str
    world: str
    made: int
    people: int
    tries: int
    removed: dict[str, int]
    given_up: int
    agreement: Agreed | None
    agreement_share: float | None
    duplicate_share: float
    """Of what was answered, 0..1."""
    words: Lengths | None
    validity: Validity
    models: dict[str, int]
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    """Of what counts and what was removed; what was given up is in the spending of the workspace alone."""


def report(documents: Documents, runs: Sequence[RecipeRun]) -> list[RunReport]:
    return [_of(documents, run) for run in runs]


def _of(documents: Documents, run: RecipeRun) -> RunReport:
    made, gone = made_by(documents, run), removed_of(documents, run)
    answered = [*made, *(one.made for one in gone)]
    given_up = len(documents.ids(f"{run.kind} given up"))
    usage, agreement = total(one.usage for one in answered), _agreed(answered)
    lengths = sorted(len(words_of(one.text)) for one in made)
    reasons = Counter(one.reason for one in gone)
    return RunReport(
        kind=run.kind,
        recipe=run.recipe.name,
        shots=run.shots,
        world=run.world,
        made=len(made),
        people=len({one.person_id for one in made}),
        tries=len(answered) + given_up,
        removed=dict(reasons),
        given_up=given_up,
        agreement=agreement,
        agreement_share=agreement.share if agreement else None,
        duplicate_share=reasons[DUPLICATE] / len(answered) if answered else 0.0,
        words=Lengths(least=lengths[0], median=median(lengths), most=lengths[-1]) if lengths else None,
        validity=Review(documents, run).validity,
        models=dict(Counter(one.model for one in answered)),
        requests=sum(one.requests for one in answered),
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cost_usd=usage.cost_usd,
    )


def _agreed(answered: Sequence[RecipeMade]) -> Agreed | None:
    tried = [one for one in answered if one.samples]
    if not tried:
        return None
    whole = sum(one.agree == one.samples for one in tried)
    enough = sum(wanted(one.samples) <= one.agree < one.samples for one in tried)
    return Agreed(solved=len(tried), all=whole, enough=enough, none=len(tried) - whole - enough)
