"""``studio judge``: people label replies, a judge scores them, and how far the two agree is measured."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from studio.chatml import last_reply
from studio.cli import options
from studio.cli.evaluate import evaluated_run, print_gates, print_verdict
from studio.cli.label_sitting import read_answers, sit, write_items
from studio.cli.options import (
    DEFAULT_SPEC,
    OFFLINE,
    WORKSPACE,
    AsJson,
    SpecFile,
    WorkspaceFolder,
    asks_models,
    group,
    named,
    open_session,
)
from studio.cli.output import cut, say, say_json, tell
from studio.cli.terminal_keys import terminal_keys
from studio.errors import UserError
from studio.evaluate.labelling import WANTED, Labelling
from studio.evaluate.types import SIDES
from studio.judge import Agreement, Judge, Reply, agreement, open_judge, read_labels, read_replies, source_of
from studio.judge.panel import disagreement, spread, trait_spreads
from studio.llm import CallLog, ModelSettings, check_budget, learned_at
from studio.spec import LoadedSpec, load
from studio.store import Owner, Workspace
from studio.store.records import Judgement
from studio.text.inert import inert_line

app = group(
    "Score replies, and measure how far a judge agrees with people.",
    "studio judge score specs/taskmaster.yaml replies.jsonl",
)
AT_ONCE = 16
T = TypeVar("T")
Replies = Annotated[Path, typer.Argument(metavar="FILE", help="JSON lines, each with messages that end with a reply.")]
Labels = Annotated[Path, typer.Argument(metavar="FILE", help="JSON lines, each with messages and labels.")]
BALANCED = "Draw the judge's rare scores more often, and weigh the labels: for its agreement."
_HOW = {
    "locked": "on replies of locked runs",
    "unseen": "on replies that it has not learned from",
    "cross-validated": "cross-validated: it has learned from all of these replies, so others like it were tried",
}


@app.command("label")
def label(
    spec: SpecFile = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    run: options.RunId = None,
    pairs: Annotated[bool, typer.Option("--pairs", help="Choose the better of two replies.")] = False,
    number: Annotated[
        int, typer.Option("--n", metavar="N", min=1, help="Answers wanted, with those there are.")
    ] = WANTED,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Whose answers these are.")] = "",
    balanced: Annotated[bool, typer.Option("--balanced", help=BALANCED)] = False,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="Write what is to be answered.")
    ] = None,
    answers: Annotated[Path | None, typer.Option("--import", metavar="FILE", help="Read a filled-in export.")] = None,
    as_json: AsJson = False,
) -> None:
    """Label replies of an evaluated run, blind: fifty of them decide its gates, whatever the judge is worth.

    In a terminal, one key a trait. In a script: --export FILE writes one reply a line, --import FILE reads them back
    with their labels filled in. Example: studio judge label specs/taskmaster.yaml --n 60
    """
    if export and answers:
        raise UserError("--export and --import at once", remedy="export first, fill in the labels, then import")
    with open_session(spec, workspace) as session:
        _, evaluation = evaluated_run(session, run)
        sitting = Labelling(
            session.workspace, session.loaded.spec, evaluation, pairs=pairs, wanted=number, by=by, balanced=balanced
        )
        if export:
            written = write_items(sitting, export)
            if not as_json:
                say(f"{written} to answer: {export}")
        elif answers:
            read_answers(sitting, answers)
        else:
            with terminal_keys() as keys:
                sit(sitting, keys, say)
        evaluation = sitting.finish()
    if as_json:
        gates = [gate.model_dump(mode="json") for gate in evaluation.gates]
        say_json({"done": sitting.done, "wanted": sitting.wanted, "verdict": evaluation.verdict, "gates": gates})
        return
    tell(f"{sitting.done} of {sitting.wanted} answered")
    print_gates(evaluation.gates)
    print_verdict(evaluation)


@app.command("score")
@asks_models("author")
def score(
    spec: SpecFile,
    file: Replies,
    settings: ModelSettings = OFFLINE,
    workspace: WorkspaceFolder = WORKSPACE,
    as_json: AsJson = False,
) -> None:
    """Score the last reply of every conversation in a file, in its order. A model's answers are kept in the workspace.

    Example: studio judge score specs/taskmaster.yaml replies.jsonl --json
    """
    loaded, replies = load(named(spec)), read_replies(file)
    gate = asyncio.Semaphore(AT_ONCE)

    async def scored(judge: Judge, reply: Reply) -> Judgement:
        async with gate:
            return await judge.score(reply.messages, reply.scenario, rules_first=False, source=source_of(reply.run))

    async def all_scored(judge: Judge) -> list[Judgement]:
        return await asyncio.gather(*(scored(judge, reply) for reply in replies))

    found = asyncio.run(_asked(loaded, settings, workspace, all_scored))
    if as_json:
        say_json({"scores": [_as_json(one) for one in found]})
        return
    names = loaded.spec.trait_names
    say(f"{'':>5} {'total':>5}  {'verdict':<9}" + "".join(f" {cut(name, 12):>12}" for name in names) + "  why")
    for number, one in enumerate(found, 1):
        marks = "".join(f" {_mark(one, name):>12}" for name in names)
        why = one.error or ", ".join(one.reasons)
        say(f"{number:>5} {_figure(one.total, 1):>5}  {one.verdict:<9}{marks}  {why}".rstrip())
    say(f"judge: {', '.join(dict.fromkeys(one.judge for one in found))}")


@app.command("agreement")
@asks_models("author")
def agree(
    spec: SpecFile,
    file: Labels,
    settings: ModelSettings = OFFLINE,
    workspace: WorkspaceFolder = WORKSPACE,
    as_json: AsJson = False,
) -> None:
    """Measure how far the judge agrees with the labels in a file: on its locked replies, where it has such. What a
    model answers is kept in the workspace.

    Example: studio judge agreement specs/taskmaster.yaml specs/taskmaster.labels.jsonl
    """
    loaded = load(named(spec))
    labels = read_labels(file, loaded.spec)
    found = asyncio.run(_asked(loaded, settings, workspace, lambda judge: agreement(loaded, judge, labels)))
    say_json(found) if as_json else _print_agreement(found)


@app.command("disagreements")
def disagreements(
    spec: SpecFile = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    run: options.RunId = None,
    number: Annotated[int, typer.Option("--n", metavar="N", min=1, help="So many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the replies on which several judges are furthest apart: of the examples, or of --run's evaluation.

    Example: studio judge disagreements specs/taskmaster.yaml --n 10
    """
    with open_session(spec, workspace) as session:
        if run is None:
            rows = session.workspace.examples.each()
            judged = [(row.example.id, last_reply(row.messages), one) for row in rows if (one := row.judgement)]
        else:
            _, evaluation = evaluated_run(session, run)
            judged = [
                (f"{row.probe.id} {side}", row.of(side).reply, row.of(side).judgement)
                for row in evaluation.results
                for side in SIDES
            ]
    apart = [one for one in judged if disagreement(one[2]) > (0.0, 0)]
    apart.sort(key=lambda one: disagreement(one[2]), reverse=True)
    of = sum(len(one.panel) > 1 for *_, one in judged)
    if as_json:
        say_json({"of": of, "apart": [_apart(*one) for one in apart[:number]]})
        return
    if not of:
        remedy = "judge with --judges NAME,NAME or --judge-samples N"
        raise UserError("no reply has the marks of several judges", where=str(spec), remedy=remedy)
    for name, reply, one in apart[:number]:
        say(f"{spread(one):>4.1f}  {name}  {cut(inert_line(reply), 60)}")
        for member in one.panel:
            marks = " ".join(f"{trait} {score}" for trait, score in member.scores.items())
            say(f"      {member.judge}: {_figure(member.total, 1)} {member.verdict}  {marks}")
    say(f"{len(apart)} of {of} replies are judged differently")


def _apart(name: str, reply: str, one: Judgement) -> dict[str, Any]:
    members = [member.model_dump() for member in one.panel]
    found = {"id": name, "reply": reply, "spread": spread(one), "traits": trait_spreads(one)}
    return found | {"total": one.total, "judges": members}


async def _asked(
    loaded: LoadedSpec, settings: ModelSettings, root: Path, question: Callable[[Judge], Awaitable[T]]
) -> T:
    """What the judge of these settings answers; a model's answers go on record in the workspace under ``root``."""
    async with AsyncExitStack() as closing:
        log: CallLog | None = None
        if not settings.judging.offline:
            owner = Owner.of(loaded.spec.name, loaded.path)
            workspace = Workspace.open(root.absolute(), loaded.spec.slug, owner)
            closing.callback(workspace.close)
            await check_budget(settings, author=False)
            await closing.enter_async_context(learned_at(workspace.folder))
            log = workspace.examples
        judge = open_judge(settings, loaded, log)
        closing.push_async_callback(judge.close)
        return await question(judge)


def _as_json(one: Judgement) -> dict[str, Any]:
    """``total`` and ``pass`` are null where nobody could tell."""
    panel = {"spread": spread(one), "panel": [mark.model_dump() for mark in one.panel]} if one.panel else {}
    return panel | {
        "total": one.total,
        "pass": {"passed": True, "failed": False}.get(one.verdict),
        "traits": {name: trait.score for name, trait in one.traits.items()},
        "estimates": {name: trait.estimate for name, trait in one.traits.items() if trait.estimate is not None},
        "violations": [violation.model_dump() for violation in one.violations],
        "judge": one.judge,
        "verdict": one.verdict,
        "reasons": one.reasons,
        "error": one.error,
    }


def _print_agreement(found: Agreement) -> None:
    """A line a trait, the verdicts, and what a regression on the length alone reaches."""
    say(f"{found.judge}, {_HOW[found.how]}: {found.n} replies, {found.errors} not judged")
    width = max((len(name) for name in found.traits), default=0)
    columns = f"{'kappa':>6} {'95 %':>14} {'AC2':>6} {'length':>7} {'n':>5}"
    say(f"{'':<{width}} {columns}  judge 0 1 2 of people's 0 / 1 / 2")
    for name, one in found.traits.items():
        rows = " / ".join(" ".join(map(str, row)) for row in one.confusion)
        length = _figure(found.baseline.traits.get(name))
        line = f"{_figure(one.kappa):>6} {_between(one.low, one.high):>14} {_figure(one.ac2):>6} {length:>7} {one.n:>5}"
        say(f"{name:<{width}} {line}  {rows}")
    same, length = found.passes, _figure(found.baseline.pass_agreement)
    say(f"same verdict: {_figure(same.share)} ({_between(same.low, same.high)}) of {same.n}; by length alone {length}")
    (both_fail, judge_alone), (people_alone, both_pass) = same.confusion
    say(
        f"passed by both {both_pass}, by neither {both_fail}, by people only {people_alone}, by the judge {judge_alone}"
    )


def _between(low: float | None, high: float | None) -> str:
    return "-" if low is None else f"{_figure(low)} to {_figure(high)}"


def _mark(one: Judgement, name: str) -> str:
    trait = one.traits.get(name)
    if trait is None:
        return "-"
    return f"{trait.score}" if trait.estimate is None else f"{trait.score} ({trait.estimate:.1f})"


def _figure(value: float | None, places: int = 2) -> str:
    return "-" if value is None else f"{value:.{places}f}"
