"""The ledger: how many examples each category and scenario has and wants, and which one is to be written next."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from studio.chatml import Frozen
from studio.generate.plan import Attempt, Attempts, Key
from studio.generate.types import CategoryTarget
from studio.spec import LoadedSpec, Spec, targets
from studio.store import Workspace

Standing = Literal["missing", "under", "even", "over"]

_SLACK = 0.5
"""A scenario is under or over where it is this share away from an even part of its category."""
_PATIENCE = 8
"""Rejections in a row, squared, over this weigh as accepted examples: a scenario that fails gets its turn more rarely,
and with every rejection more so."""
_LEAST_ATTEMPTS = 12


class ScenarioBalance(Frozen):
    """A scenario against an even part of its category. ``share`` is that part, in accepted examples."""

    category: str
    scenario: str
    accepted: int
    rejected: int
    pending: int
    share: float
    standing: Standing


def wanted(spec: Spec, examples: int | None = None) -> dict[str, int]:
    """Accepted examples wanted by category; ``examples`` in all stands in for ``success.examples`` of the spec.

    Fewer than the categories' own targets add up to are spread over them in proportion, largest remainder first; equal
    remainders go to the category listed first.
    """
    own = targets(spec)
    if examples is None:
        return own
    success = spec.success.model_copy(update={"examples": max(1, examples)})
    own = targets(spec.model_copy(update={"success": success}))
    total = sum(own.values())
    if total <= examples or not total:
        return own
    shares = {name: number * examples / total for name, number in own.items()}
    less = {name: math.floor(share) for name, share in shares.items()}
    by_remainder = sorted(shares, key=lambda name: less[name] - shares[name])
    return {name: less[name] + (name in by_remainder[: examples - sum(less.values())]) for name in own}


def coverage(loaded: LoadedSpec, workspace: Workspace, examples: int | None = None) -> tuple[CategoryTarget, ...]:
    """Each category's target and what counts towards it: what was judged by this very spec, in its own scenarios."""
    return Ledger(loaded, workspace, examples).targets()


def balance(loaded: LoadedSpec, workspace: Workspace, examples: int | None = None) -> tuple[ScenarioBalance, ...]:
    """Every scenario that is trained on, and whether it is missing, under- or over-represented in its category."""
    return tuple(Ledger(loaded, workspace, examples).scenarios())


@dataclass
class _Scenario:
    name: str
    left: float = math.inf
    """Attempts that can still be had."""
    accepted: int = 0
    rejected: int = 0
    pending: int = 0
    under_way: int = 0
    failed_in_a_row: int = 0

    @property
    def turn(self) -> float:
        """The lower, the sooner it is its turn."""
        return self.accepted + self.under_way + self.failed_in_a_row**2 / _PATIENCE


@dataclass
class _Category:
    name: str
    target: int
    scenarios: dict[str, _Scenario]
    waiting: bool
    """Whether what is pending waits for a person, and may be accepted."""
    attempts_left: float = 0

    def sum(self, what: Literal["accepted", "rejected", "pending", "under_way"]) -> int:
        return sum(getattr(scenario, what) for scenario in self.scenarios.values())

    @property
    def missing(self) -> int:
        """Beyond what is accepted, and what may be: so that nothing is written in vain."""
        return self.target - self.sum("accepted") - self.sum("under_way") - self.waiting * self.sum("pending")

    @property
    def open(self) -> list[_Scenario]:
        """Scenarios that may still be tried; none once the category has had all its attempts."""
        return [one for one in self.scenarios.values() if one.left > 0] if self.attempts_left > 0 else []


class Ledger:
    """The state of all categories while examples come in. Not for use by several threads."""

    def __init__(
        self,
        loaded: LoadedSpec,
        workspace: Workspace,
        examples: int | None = None,
        *,
        max_attempts: float = 4.0,
        left: Mapping[Key, int] | None = None,
        judged: bool = True,
    ) -> None:
        """``max_attempts``: how many attempts each missing example may take, over a category.

        ``left`` are the attempts that can be had where there is an end of them, as in a recording: all of them are
        wanted then, unless fewer ``examples`` are asked for than the spec wants. ``judged`` says that a model judges;
        else what is pending was left to a person, and counts as if it were accepted: nothing is written beyond it.
        """
        counts = workspace.examples.scenario_counts(loaded.hash)
        self._whole = left is not None and (examples is None or examples >= loaded.spec.success.examples)
        self._categories: dict[str, _Category] = {}
        for name, target in wanted(loaded.spec, examples).items():
            scenarios = {item: _Scenario(item) for item in loaded.spec.scenarios[name].items}
            for item, scenario in scenarios.items():
                if left is not None:
                    scenario.left = left.get((name, item), 0)
                if (count := counts.get((name, item))) is not None:
                    scenario.accepted, scenario.rejected = count.accepted, count.rejected
                    scenario.pending = count.pending
            category = _Category(name, target, scenarios, waiting=not judged)
            least = math.inf if left is not None else _LEAST_ATTEMPTS
            category.attempts_left = max(least, math.ceil(max_attempts * category.missing))
            self._categories[name] = category

    def next(self) -> Key | None:
        """The (category, scenario) to write now, counted as under way; None where nothing is missing or possible.

        The category furthest from its target, and in it the scenario with the fewest examples.
        """
        candidates = self._candidates()
        category = max(candidates, key=lambda one: one.missing / max(1, one.target), default=None)
        if category is None:
            return None
        scenario = min(category.open, key=lambda one: one.turn)
        category.attempts_left -= 1
        scenario.left -= 1
        scenario.under_way += 1
        return category.name, scenario.name

    @property
    def wants(self) -> bool:
        """Whether anything is to be written now, and can be."""
        return bool(self._candidates())

    def _candidates(self) -> list[_Category]:
        return [one for one in self._categories.values() if one.open and (self._whole or one.missing > 0)]

    def landed(self, category: str, scenario: str, outcome: Literal["accepted", "rejected", "pending", "none"]) -> None:
        """What became of one that was under way; ``none`` where nothing was written."""
        one = self._categories[category].scenarios[scenario]
        one.under_way -= 1
        one.failed_in_a_row = 0 if outcome == "accepted" else one.failed_in_a_row + 1
        if outcome != "none":
            setattr(one, outcome, getattr(one, outcome) + 1)

    def targets(self) -> tuple[CategoryTarget, ...]:
        return tuple(
            CategoryTarget(
                category=one.name,
                target=one.target,
                accepted=one.sum("accepted"),
                rejected=one.sum("rejected"),
                pending=one.sum("pending"),
            )
            for one in self._categories.values()
        )

    @property
    def missing(self) -> int:
        """Accepted examples that are still wanted, whatever is under way."""
        return sum(max(0, one.missing + one.sum("under_way")) for one in self._categories.values())

    @property
    def empty(self) -> list[str]:
        """Scenarios that have no example and can have none."""
        every = (one for category in self._categories.values() for one in category.scenarios.values())
        return [one.name for one in every if one.left <= 0 and not one.accepted + one.rejected + one.pending]

    @property
    def waiting(self) -> int:
        """Examples that wait for a person's decision, since nobody else judges."""
        return sum(one.sum("pending") for one in self._categories.values() if one.waiting)

    def short(self) -> list[tuple[str, int, int]]:
        """Categories below their target: name, accepted, target."""
        return [(one.category, one.accepted, one.target) for one in self.targets() if one.accepted < one.target]

    def thin(self) -> list[str]:
        """Scenarios of which little is accepted and most was rejected."""
        poor = (one for one in self.scenarios() if one.standing in ("missing", "under"))
        return [one.scenario for one in poor if one.rejected > one.accepted]

    def scenarios(self) -> Iterator[ScenarioBalance]:
        for category in self._categories.values():
            share = category.target / len(category.scenarios)
            for one in category.scenarios.values():
                yield ScenarioBalance(
                    category=category.name,
                    scenario=one.name,
                    accepted=one.accepted,
                    rejected=one.rejected,
                    pending=one.pending,
                    share=share,
                    standing=_standing(one.accepted, share),
                )


def next_attempts(ledger: Ledger, attempts: Attempts, most: int) -> list[Attempt]:
    """The next so many attempts, all of them under way from now on; fewer where less is missing."""
    found: list[Attempt] = []
    while len(found) < most and (wanted := ledger.next()) is not None:
        if (attempt := attempts.next(*wanted)) is None:
            break
        found.append(attempt)
    return found


def _standing(accepted: int, share: float) -> Standing:
    if accepted == 0 and share > 0:
        return "missing"
    if accepted < share * (1 - _SLACK):
        return "under"
    return "over" if accepted > max(share * (1 + _SLACK), share + 1) else "even"
