"""``studio judge``: score replies, and measure how far a judge agrees with people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from studio.cli.labelling import label
from studio.cli.options import WORKSPACE, AsJson, Endpoint, JudgeModel, Model, SpecFile, WorkspaceFolder, group, named
from studio.cli.output import cut, say, say_json
from studio.judge import Agreement, Judge, Reply, agreement, open_judge, read_labels, read_replies, source_of
from studio.llm import ModelSettings, resolve_settings
from studio.spec import LoadedSpec, load
from studio.store.records import Judgement

app = group(
    "Score replies, and measure how far a judge agrees with people.",
    "studio judge score specs/taskmaster.yaml replies.jsonl",
)
app.command("label")(label)
AT_ONCE = 16
Replies = Annotated[Path, typer.Argument(metavar="FILE", help="JSON lines, each with messages that end with a reply.")]
Labels = Annotated[Path, typer.Argument(metavar="FILE", help="JSON lines, each with messages and labels.")]
_HOW = {
    "locked": "on replies of locked runs",
    "unseen": "on replies that it has not learned from",
    "cross-validated": "cross-validated: it has learned from all of these replies, so others like it were tried",
}


@app.command("score")
def score(
    spec: SpecFile,
    file: Replies,
    endpoint: Endpoint = None,
    model: Model = None,
    judge_model: JudgeModel = None,
    workspace: WorkspaceFolder = WORKSPACE,
    as_json: AsJson = False,
) -> None:
    """Score the last reply of every conversation in a file, in its order. The workspace is not looked at.

    Example: studio judge score specs/taskmaster.yaml replies.jsonl --json
    """
    loaded, replies = load(named(spec)), read_replies(file)
    found = asyncio.run(_scored(loaded, replies, resolve_settings(endpoint, model, judge_model)))
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
def agree(
    spec: SpecFile,
    file: Labels,
    endpoint: Endpoint = None,
    model: Model = None,
    judge_model: JudgeModel = None,
    workspace: WorkspaceFolder = WORKSPACE,
    as_json: AsJson = False,
) -> None:
    """Measure how far the judge agrees with the labels in a file: on its locked replies, where it has such. The
    workspace is not looked at.

    Example: studio judge agreement specs/taskmaster.yaml specs/taskmaster.labels.jsonl
    """
    loaded = load(named(spec))
    labels = read_labels(file, loaded.spec)

    async def measured() -> Agreement:
        async with _judge(loaded, resolve_settings(endpoint, model, judge_model)) as judge:
            return await agreement(loaded, judge, labels)

    found = asyncio.run(measured())
    say_json(found) if as_json else _print_agreement(found)


async def _scored(loaded: LoadedSpec, replies: Sequence[Reply], settings: ModelSettings) -> list[Judgement]:
    gate = asyncio.Semaphore(AT_ONCE)
    async with _judge(loaded, settings) as judge:

        async def one(reply: Reply) -> Judgement:
            async with gate:
                return await judge.score(reply.messages, reply.scenario, rules_first=False, source=source_of(reply.run))

        return list(await asyncio.gather(*map(one, replies)))


@asynccontextmanager
async def _judge(loaded: LoadedSpec, settings: ModelSettings) -> AsyncIterator[Judge]:
    judge = open_judge(settings, loaded)
    try:
        yield judge
    finally:
        await judge.close()


def _as_json(one: Judgement) -> dict[str, Any]:
    """``total`` and ``pass`` are null where nobody could tell."""
    return {
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
