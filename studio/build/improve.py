"""Improving: a gate that is not passed becomes examples, a retrain and a paired difference, round by round.

Each round diagnoses on one part of the probes, has examples written for what it found, trains from scratch on the union
with what was there (at least half of it), and is measured on a part that no diagnosis has read. It stops where the
gates pass, where nothing improves, or at a budget; the locked part is opened once, at the end. Every step is a job or
a document: killed anywhere, the same command goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from studio.build.improve_diagnosis import Finding, diagnose, scenarios_for
from studio.build.improve_record import (
    Improvement,
    Round,
    RoundDelta,
    begun,
    deltas,
    keep,
    unfinished_improvement,
)
from studio.build.items import check_model, items_stage
from studio.build.session import Session, StageError, Tell
from studio.build.stages import evaluate_stage, train_stage, triage_stage
from studio.chatml import Frozen
from studio.errors import UserError
from studio.evaluate import MIN_LABELS, Evaluation, evaluation_of
from studio.evaluate.gate_text import label
from studio.files import as_seen
from studio.generate import RECORDED
from studio.generate.focus import Focus, FocusParams
from studio.generate.plan import open_scenarios
from studio.inference import ItemsFinished
from studio.llm import ModelSettings, dollars
from studio.store import Filter
from studio.train import Run, find_run, runs

STAGE = "targeted"
EXAMPLES, ROUNDS = 40, 3
FLAT = 2
"""Rounds in a row whose interval includes 0 end it."""


class ImproveOptions(Frozen):
    """``auto``: the judge alone accepts; else it waits for a person after the examples of each round."""

    examples: int = EXAMPLES
    rounds: int = ROUNDS
    auto: bool = False
    run_id: str | None = None
    """The run to begin with; None: the newest that was trained to its end."""


@dataclass(frozen=True)
class _Loop:
    tell: Tell
    session: Session
    asked: ImproveOptions
    heard: Callable[[Improvement], None]

    def keep(self, state: Improvement) -> Improvement:
        kept = keep(self.session.workspace, state)
        self.heard(kept)
        return kept


async def improve(
    tell: Tell,
    session: Session,
    asked: ImproveOptions,
    heard: Callable[[Improvement], None] = lambda _: None,
) -> Improvement:
    """Rounds until one of the ends, or until a person is to look at examples (:attr:`Improvement.waits`): called again
    it goes on. ``heard`` is told of each step once it is kept.

    Raises :class:`studio.errors.UserError` where nobody is there to write, nothing is trained yet, or a stage fails.
    """
    check_author(session)
    loop = _Loop(tell, session, asked, heard)
    state = unfinished_improvement(session.workspace, session.loaded.hash)
    if state is None:
        state = begun(session.workspace, session.loaded.hash, _first_run(session, asked).plan.run_id)
    elif state.waits:  # asked again: the person has looked
        state = loop.keep(state.with_round(state.rounds[-1].model_copy(update={"step": "written"})))
    while not state.ended and not state.waits:
        state = await _next_step(loop, state)
    return state


async def _next_step(loop: _Loop, state: Improvement) -> Improvement:
    now = state.rounds[-1] if state.rounds else None
    if now is None or now.step == "evaluated":
        return await _diagnosed(loop, state)
    try:
        if now.step == "diagnosed":
            return await _written(loop, state)
        if now.step == "written":
            return await _trained(loop, state)
    except StageError:
        if not _spent_out(loop.session):
            raise
        return await _end(loop, state, _budget(loop.session))
    return await _evaluated(loop, state)


async def _diagnosed(loop: _Loop, state: Improvement) -> Improvement:
    """Another round, or the end."""
    session = loop.session
    run_id = state.rounds[-1].run_id if state.rounds else state.first
    run = find_run(session.workspace, run_id)
    evaluation = await evaluate_stage(loop.tell, session, run, locked=False)
    marks = session.workspace.examples.marks(session.loaded.hash, session.loaded.spec.trait_names)
    findings = diagnose(session.loaded, evaluation, marks)
    state = state.model_copy(update={"findings": findings})
    if why := _why_end(loop, state, evaluation, findings):
        return await _end(loop, state, why)
    target, old = findings[0], session.workspace.examples.count(_accepted(session))
    return loop.keep(
        state.with_round(
            Round(
                number=len(state.rounds) + 1,
                before=run_id,
                findings=findings,
                target=target,
                scenarios=scenarios_for(target, marks, open_scenarios(session.loaded.spec)),
                wanted=max(1, min(loop.asked.examples, old)),  # at least half of the union is what was there
            )
        )
    )


async def _written(loop: _Loop, state: Improvement) -> Improvement:
    now, session = state.rounds[-1], loop.session
    target = now.target
    params = FocusParams(
        spec_path=str(session.loaded.path),
        workspace=str(session.root),
        settings=session.settings,
        seed=session.seed,
        concurrency=session.concurrency,
        name=f"{state.id} round {now.number}",
        focus=Focus(trait=target.trait, boundary=target.boundary, pattern=target.pattern),
        scenarios=now.scenarios,
        count=now.wanted,
    )
    end: ItemsFinished = await items_stage(loop.tell, session, STAGE, "studio.generate.focus:main", params)
    update: dict[str, Any] = {"made": end.done + end.removed, "accepted": end.done, "step": "written"}
    if not end.done:
        why = ", ".join(f"{name} {count}" for name, count in end.reasons.items()) or end.note
        what = label(now.metric)
        state = state.with_round(now.model_copy(update=update))
        return await _end(loop, state, f"the author wrote nothing that shows {what} (rejected: {why})")
    if not loop.asked.auto:
        update["step"] = "awaiting"
    return loop.keep(state.with_round(now.model_copy(update=update)))


async def _trained(loop: _Loop, state: Improvement) -> Improvement:
    """From scratch, by the recipe of the run before, on all that is accepted now."""
    now, session = state.rounds[-1], loop.session
    before = find_run(session.workspace, now.before)
    recipe = before.plan.recipe.model_dump() | session.recipe
    again = replace(session, base=before.plan.base_model, recipe=recipe, snapshot=None)
    export = await triage_stage(loop.tell, again)
    run = await train_stage(loop.tell, again, export)
    if run.plan.run_id == now.before:
        return await _end(loop, state, "nothing of what was written is left to train on")
    return loop.keep(state.with_round(now.model_copy(update={"run_id": run.plan.run_id, "step": "trained"})))


async def _evaluated(loop: _Loop, state: Improvement) -> Improvement:
    now, session = state.rounds[-1], loop.session
    run = find_run(session.workspace, now.run_id)
    after = await evaluate_stage(loop.tell, session, run, locked=False)
    before = evaluation_of(session.workspace, now.before)
    update = {
        "deltas": deltas(before, after) if before is not None else (),
        "passed": sum(gate.status == "PASS" for gate in after.gates),
        "gates": len(after.gates),
        "step": "evaluated",
    }
    return loop.keep(state.with_round(now.model_copy(update=update)))


def _why_end(loop: _Loop, state: Improvement, evaluation: Evaluation, findings: tuple[Finding, ...]) -> str:
    """Why no other round follows; empty where one does."""
    if all(gate.status == "PASS" for gate in evaluation.gates):
        return "all gates pass on the open probes" if not evaluation.is_verdict else "all gates pass"
    if told := flat(state.rounds):
        return told
    if state.rounds and (told := _only_the_judge(loop.session, state.rounds[-1])):
        return told
    if not findings[0].writable:
        named = "; ".join(one.line for one in findings)
        return f"no examples would help with what is left: {named}"
    if len(state.rounds) >= loop.asked.rounds:
        n = loop.asked.rounds
        return f"{n} round{' was' if n == 1 else 's were'} asked for (--rounds)"
    return _budget(loop.session) if _spent_out(loop.session) else ""


def flat(rounds: tuple[Round, ...]) -> str:
    """Why rounds that improved nothing end it; empty where they do not: the interval includes 0 in two of them."""
    last = rounds[-FLAT:]
    if len(last) < FLAT or any(one.improved for one in last):
        return ""
    told = ", then ".join(one.about.text if one.about else f"{label(one.metric)} not measured" for one in last)
    return f"nothing improves: {told}; the interval includes 0 in {FLAT} rounds"


def _only_the_judge(session: Session, last: Round) -> str:
    """Where people labelled both runs: whether the judge's mean rose and the corrected one did not."""
    pair = [evaluation_of(session.workspace, name) for name in (last.before, last.run_id)]
    found = [one.tuned.traits.get(last.target.trait) if one else None for one in pair]
    left, right = found
    if left is None or right is None or min(left.labels, right.labels) < MIN_LABELS or not last.improved:
        return ""
    if right.value > left.value:
        return ""
    told = f"{left.value:.2f} -> {right.value:.2f} by people's labels"
    return f"the judge's mean of {label(last.metric)} rose and the corrected one did not ({told}): the judge is fooled"


async def _end(loop: _Loop, state: Improvement, why: str) -> Improvement:
    """The end: where a round improved anything, the locked probes are opened, of the last run and of the first, to
    confirm it."""
    session, rounds = loop.session, [one for one in state.rounds if one.step == "evaluated"]
    update: dict[str, Any] = {"ended": why}
    if any(one.improved for one in rounds):
        first, last = (find_run(session.workspace, name) for name in (state.first, rounds[-1].run_id))
        verdict = await evaluate_stage(loop.tell, session, last, locked=True)  # the first look is the cheapest
        before = await evaluate_stage(loop.tell, session, first, locked=True)
        locked: tuple[RoundDelta, ...] = deltas(before, verdict, "locked")
        update |= {"locked": locked, "verdict": verdict.verdict, "passed": verdict.passed}
    elif not rounds and (kept := evaluation_of(session.workspace, state.first)) is not None:
        update |= {"verdict": kept.verdict if kept.is_verdict else "", "passed": kept.passed}
    return loop.keep(state.model_copy(update=update))


def _accepted(session: Session) -> Filter:
    return Filter(status="accepted", spec_hash=session.loaded.hash)


def _first_run(session: Session, asked: ImproveOptions) -> Run:
    if asked.run_id is not None:
        return find_run(session.workspace, asked.run_id)
    found = next((run for run in runs(session.workspace) if run.finished and not run.finished.stopped), None)
    if found is None:
        remedy = f"studio build {as_seen(session.loaded.path)}"
        raise UserError("there is no trained run to improve yet", where="improve", remedy=remedy)
    return found


def check_author(session: Session) -> None:
    """Raises :class:`UserError` where nobody is there to write: a recording has nothing left to play back."""
    settings: ModelSettings = session.settings
    if settings.author_offline and session.loaded.recorded_path is not None:
        remedy = (
            "name an author, --endpoint URL --model NAME or --author local:MODEL; or write examples by hand, "
            f"studio triage new {as_seen(session.loaded.path)}, and train again"
        )
        raise UserError(f"the {RECORDED} author has nothing left to play back", where="improve", remedy=remedy)
    check_model(session, "improve")


def _spent_out(session: Session) -> bool:
    limit = session.settings.max_cost_usd
    return limit is not None and session.workspace.examples.spent().cost_usd >= 0.99 * limit


def _budget(session: Session) -> str:
    return f"the budget of {dollars(session.settings.max_cost_usd or 0)} is spent (--max-cost)"
