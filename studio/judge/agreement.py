"""Agreement of a judge with people: quadratic-weighted kappa and AC2 a trait, and how often the verdict is the same.

Where almost all scores are the same kappa is low and wide and AC2 flatters: both stand with the table that they come
from. Intervals are bootstraps over user messages, whose replies are not independent. Beside them stands what the same
regression reaches that knows the length of a reply and nothing else.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from studio.chatml import Frozen, digest, last_reply
from studio.errors import UserError
from studio.files import cache_folder, write_atomic
from studio.judge.judge import Judge
from studio.judge.labels import Label, labels_hash, labels_of, locked, training
from studio.judge.scoring import estimated
from studio.judge.types import JudgeInfo
from studio.spec import LoadedSpec
from studio.store.records import Judgement
from studio.text.words import words_of

AT_ONCE = 16
How = Literal["locked", "unseen", "cross-validated"]
Counts = tuple[tuple[int, ...], ...]


class TraitAgreement(Frozen):
    """``kappa`` and ``ac2`` with their 95 % intervals; None where they are undefined, as of one score throughout."""

    kappa: float | None
    low: float | None
    high: float | None
    ac2: float | None
    ac2_low: float | None
    ac2_high: float | None
    n: int
    """Replies that both a person and the judge scored."""
    confusion: Counts
    """3 x 3 replies by the person's score (row) and the judge's (column)."""


class PassAgreement(Frozen):
    """Whether a reply belongs in the dataset: the share of equal verdicts, with its 95 % interval."""

    share: float | None
    low: float | None
    high: float | None
    n: int
    confusion: Counts
    """2 x 2 replies by the person's verdict (row; failed, passed) and the judge's (column)."""


class Baseline(Frozen):
    """A regression on the number of words alone: kappa by trait, and the share of equal verdicts."""

    traits: dict[str, float | None]
    pass_agreement: float | None


class Agreement(Frozen):
    """How far a judge agrees with people, and on what that was measured."""

    judge: str
    version: str
    how: How
    """``locked``: on replies of locked runs; ``unseen``: on others that the judge did not learn from;
    ``cross-validated``: by judges that each learned from the rest of these same labels."""
    labels: str
    """Hash of the labels that were given."""
    traits: dict[str, TraitAgreement]
    pass_agreement: float | None
    passes: PassAgreement
    n: int
    """Replies that were measured on."""
    errors: int
    """Those among them that the judge could not judge; they count for nothing."""
    baseline: Baseline


async def agreement(loaded: LoadedSpec, judge: Judge, labels: Sequence[Label]) -> Agreement:
    """Of ``judge`` with the people who gave ``labels``: on replies of locked runs where there are such, else on locked
    ones that authors wrote, else on those that it did not learn from, else by cross-validation of the learned judge.

    A model is asked once a label. Raises UserError where nobody judges, or where there is nothing to measure on.
    """
    if judge.kind == "nobody":
        remedy = "name a model with --endpoint and --model, or put labels beside the spec"
        raise UserError("there is no judge whose agreement could be measured", where=str(loaded.path), remedy=remedy)
    if not labels:
        raise UserError("there are no labels to measure a judge on", where=str(loaded.path))
    known = judge.learned.trained_on if judge.learned else frozenset()
    unseen = [label for label in labels if digest(label.messages) not in known]
    measured: Sequence[Label] = unseen or labels
    how: How = "unseen" if unseen else "cross-validated"
    if apart := locked(unseen):
        measured, how = [label for label in apart if label.source == "run"] or apart, "locked"
    if how == "cross-validated" and judge.learned is not None:
        found = await asyncio.to_thread(judge.learned.out_of_fold, measured)
        said = [
            estimated(loaded, judge.name, one, judge.violations(label.messages))
            for label, one in zip(measured, found, strict=True)
        ]
    else:
        gate = asyncio.Semaphore(AT_ONCE)

        async def ask(label: Label) -> Judgement:
            async with gate:
                return await judge.score(label.messages, rules_first=False, source=label.source)

        said = await asyncio.gather(*map(ask, measured))
    rest = judge.learned.labels if judge.learned else [one for one in training(labels) if one not in measured]
    return Agreement(
        judge=judge.name,
        version=judge.version,
        how=how,
        labels=labels_hash(labels),
        traits={name: _trait(name, measured, said) for name in loaded.spec.trait_names},
        pass_agreement=(passes := _passes(loaded, measured, said)).share,
        passes=passes,
        n=len(measured),
        errors=sum(one.verdict == "error" for one in said),
        baseline=_by_length(loaded, () if how == "cross-validated" else rest, measured),
    )


async def judge_agreement(loaded: LoadedSpec, judge: Judge) -> Agreement | None:
    """Of ``judge`` with the labels beside the spec, measured once for each pair of them; None where there are none.

    A model is asked once a label for it; :func:`known_agreement` asks nobody.
    """
    if (path := _kept_in(loaded, judge)) is None:
        return None
    if (known := known_agreement(loaded, judge)) is not None:
        return known
    found = await agreement(loaded, judge, labels_of(loaded))
    if not found.errors:
        with suppress(OSError):  # a cache that cannot be written costs time, nothing else
            write_atomic(path, found.model_dump_json())
    return found


def known_agreement(loaded: LoadedSpec, judge: Judge | JudgeInfo) -> Agreement | None:
    """What :func:`judge_agreement` found before, from the user's cache; None where it was not measured yet."""
    try:
        path = _kept_in(loaded, judge)
        return Agreement.model_validate_json(path.read_bytes(), extra="ignore") if path else None
    except (OSError, ValidationError):
        return None


def _kept_in(loaded: LoadedSpec, judge: Judge | JudgeInfo) -> Path | None:
    """Where it is kept; None where there is nothing to measure."""
    labels = labels_of(loaded)
    if not labels or judge.kind == "nobody":
        return None
    told = "\x1f".join([judge.kind, judge.name, judge.version, labels_hash(labels), loaded.hash])
    return cache_folder() / "judges" / f"agreement-{hashlib.sha256(told.encode()).hexdigest()[:16]}.json"


def _trait(name: str, labels: Sequence[Label], said: Sequence[Judgement]) -> TraitAgreement:
    from studio.judge.reliability import ac2, figure, interval, kappa, table

    both = [
        ((label.labels[name], int(one.traits[name].score)), label.group)
        for label, one in zip(labels, said, strict=True)
        if name in label.labels and name in one.traits
    ]
    pairs, groups = [pair for pair, _ in both], [group for _, group in both]
    low, high = interval(kappa, pairs, groups, 3)
    ac2_low, ac2_high = interval(ac2, pairs, groups, 3)
    return TraitAgreement(
        kappa=figure(kappa, pairs, 3),
        low=low,
        high=high,
        ac2=figure(ac2, pairs, 3),
        ac2_low=ac2_low,
        ac2_high=ac2_high,
        n=len(pairs),
        confusion=table(pairs, 3).tolist(),
    )


def pass_agreement(both: Sequence[tuple[tuple[int, int], str]]) -> PassAgreement:
    """Of ((person, judge), group) a reply, where 1 says that it passes. The bootstrap is over groups."""
    from studio.judge.reliability import accuracy, figure, interval, table

    pairs, groups = [pair for pair, _ in both], [group for _, group in both]
    low, high = interval(accuracy, pairs, groups, 2)
    share = figure(accuracy, pairs, 2)
    return PassAgreement(share=share, low=low, high=high, n=len(pairs), confusion=table(pairs, 2).tolist())


def _passes(loaded: LoadedSpec, labels: Sequence[Label], said: Sequence[Judgement]) -> PassAgreement:
    return pass_agreement(
        [
            ((int(wanted), int(one.verdict == "passed")), label.group)
            for label, one in zip(labels, said, strict=True)
            if (wanted := label.passes(loaded.spec)) is not None and one.verdict in ("passed", "failed")
        ]
    )


def _by_length(loaded: LoadedSpec, rest: Sequence[Label], measured: Sequence[Label]) -> Baseline:
    """Learned from ``rest``, or by cross-validation where that is too little."""
    import numpy as np

    from studio.judge.ridge import FEWEST, Block, learn, out_of_fold

    given, known = (
        np.log1p([[len(words_of(last_reply(label.messages)))] for label in labels]) for labels in (measured, rest)
    )
    if len(rest) >= FEWEST:
        found = learn(known, (Block(1),), rest, loaded.spec).estimates(given)
    else:
        found = out_of_fold(given, (Block(1),), measured, loaded.spec)
    said = [estimated(loaded, "length", one, ()) for one in found]
    traits = {name: _trait(name, measured, said).kappa for name in loaded.spec.trait_names}
    return Baseline(traits=traits, pass_agreement=_passes(loaded, measured, said).share)
