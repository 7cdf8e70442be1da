"""``studio generate``: examples until every category has its target, a few of them to look at, or in batches."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import groupby
from typing import Annotated, Any

import typer

from studio.build import Session
from studio.build.stages import generate_params, generate_stage, preview_stage, previewed, scenarios, spending, standing
from studio.cli import options, recipes
from studio.cli.display import duration, show
from studio.cli.options import DEFAULT_SPEC, OFFLINE, WORKSPACE, asks_models, open_session
from studio.cli.output import say, say_json, tell
from studio.cli.status import tell_next
from studio.errors import UserError
from studio.generate import (
    ScenarioBalance,
    away,
    cancel_batches,
    generate_in_batches,
    read_concurrency,
    set_concurrency,
)
from studio.jobs import active
from studio.llm import ModelSettings, dollars
from studio.store import Filter

BATCH = "Ask in batches, at half the price and within a day: submit and leave; the same command collects and goes on."
CANCEL = "Have the server end what --batch submitted: what it has answered is kept, the rest forgotten."

CHECK_FIT = "Have the judge also say whether the user's turns fit who asks: one call more for each that passes."


@asks_models()
def generate(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    settings: ModelSettings = OFFLINE,
    base: options.Base = None,
    examples: options.Examples = None,
    seed: options.Seed = 0,
    concurrency: options.Concurrency = None,
    balance: Annotated[
        bool, typer.Option("--balance", help="Show how many examples each scenario has, and write none.")
    ] = False,
    preview: options.Preview = None,
    batch: Annotated[bool, typer.Option("--batch", help=BATCH)] = False,
    batch_cancel: Annotated[bool, typer.Option("--batch-cancel", help=CANCEL)] = False,
    recipe: recipes.Recipe = None,
    shots: recipes.ShotsOption = None,
    count: recipes.Count = None,
    samples: recipes.Samples = None,
    world: recipes.World = None,
    check_fit: Annotated[bool, typer.Option("--check-fit", help=CHECK_FIT)] = False,
    as_json: options.AsJson = False,
) -> None:
    """Write and judge examples until every category has its target; or, with --recipe, what is no example of the
    persona: problems, articles, characters, tools for people of the bank.

    Example: studio generate specs/taskmaster.yaml --examples 60
    """
    mine = {"shots": shots, "count": count, "samples": samples, "world": world}
    recipes.refuse_without(
        recipe, **mine, balance=balance, preview=preview, batch=batch or batch_cancel, examples=examples
    )
    chains = None if concurrency is None else read_concurrency(concurrency)
    more: dict[str, Any] = {"base": base, "examples": examples, "seed": seed, "concurrency": chains}
    more["check_fit"] = check_fit
    with open_session(spec, workspace, settings, **more) as session:
        if recipe is not None:
            recipes.follow(session, recipe, shots, count, samples, world, as_json)
            return
        if balance:
            _print_balance(scenarios(session), as_json)
            return
        if batch_cancel:
            _cancel(session, as_json)
            return
        if batch and preview is not None:
            raise UserError("--batch and --preview at once", remedy="look at a few first, then submit the rest")
        if batch:
            _batch(session, as_json)
            return
        if preview is not None:
            _preview(session, preview, as_json)
            return
        running = active(session.workspace.jobs_dir, "generate")
        if concurrency is not None and running is not None:
            set_concurrency(running.folder, chains)
        show(generate_stage, session)
        tell_next(session)
        found = counts(session)
    say_json(found) if as_json else _print_counts(found)


def _print_counts(found: dict[str, Any]) -> None:
    for name, one in found["categories"].items():
        say(f"{name:<24} {one['accepted']:>4} of {one['target']}")
    say("{accepted} accepted, {rejected} rejected".format(**found["examples"]))
    if line := found["spending"]["line"]:
        say(f"cost: {line}")


def _batch(session: Session, as_json: bool) -> None:
    """One step: what has come is collected, what is wanted next is submitted."""
    step = asyncio.run(generate_in_batches(session.loaded, session.workspace, generate_params(session), tell))
    if not step.batches and not step.complete:
        raise UserError(f"examples are missing: {step.note}", remedy="studio generate without --batch says more")
    found = counts(session)
    if as_json:
        say_json({**step.model_dump(mode="json"), **found})
        return
    _print_counts(found)
    if step.batches:
        say("answers come within a day; the same command tells how it stands, collects them and goes on")


def _cancel(session: Session, as_json: bool) -> None:
    if not away(session.workspace):
        raise UserError("no batch is at a server", where="--batch-cancel", remedy="studio generate --batch submits one")
    left = asyncio.run(cancel_batches(session.loaded, session.workspace, generate_params(session), tell))
    if as_json:
        say_json({"batches": [one.model_dump(mode="json") for one in left]})
    elif left:
        say("the server is about to end it; the same command, in some minutes, keeps what it has answered")
    else:
        say("what came is kept: studio generate, with or without --batch, goes on from there")


def _preview(session: Session, number: int, as_json: bool) -> None:
    """The prompts before anything is asked, then what the examples came to."""
    prompts = previewed(session, number)
    for count, one in enumerate(prompts if not as_json else (), 1):
        say(f"{count} of {len(prompts)}: {one.scenario} ({one.category}), {one.person or 'somebody'} asks")
        for message in one.messages:
            say(f"{message.role}:")
            say(message.content)
        say("")
    found = show(preview_stage, session, prompts)
    if as_json:
        say_json(found)
        return
    author, judge = found.author, found.judge
    tokens = author.prompt_tokens + judge.prompt_tokens, author.completion_tokens + judge.completion_tokens
    unpriced = author.unpriced + judge.unpriced
    say(f"made      {found.made}, {found.accepted} accepted; they are kept")
    say(f"took      {author.calls + judge.calls} calls, {tokens[0]:,} + {tokens[1]:,} tokens, "
        f"{_usd(None if unpriced else author.cost_usd + judge.cost_usd)}")  # fmt: skip
    if (whole := found.projection) is None:
        say("the whole  cannot be told: nothing was accepted" if found.made else "the whole  is there already")
        return
    say(f"the whole {whole.missing} more accepted, about {whole.attempts} to be made: {whole.calls:,} calls, "
        f"{whole.prompt_tokens:,} + {whole.completion_tokens:,} tokens, {_usd(whole.cost_usd)}, "
        f"{duration(whole.seconds)} with {whole.at_once} at once")  # fmt: skip


def _usd(usd: float | None) -> str:
    return "cost unknown" if usd is None else dollars(usd)


def _print_balance(found: Sequence[ScenarioBalance], as_json: bool) -> None:
    """A line a scenario, marked where it is missing, under- or over-represented in its category."""
    if as_json:
        say_json({"scenarios": [one.model_dump(mode="json") for one in found]})
        return
    width = max((len(one.scenario) for one in found), default=0)
    for category, rows in groupby(found, key=lambda one: one.category):
        say(category)
        for one in rows:
            mark = "" if one.standing == "even" else one.standing
            say(f"  {one.scenario:<{width}} {one.accepted:>4} of about {one.share:<5.3g} {mark}".rstrip())


def counts(session: Session) -> dict[str, Any]:
    """How many examples there are, what they cost, and each category's target with what counts towards it."""
    examples = session.workspace.examples
    return {
        "examples": {
            "generated": examples.count(Filter()),
            "accepted": examples.count(Filter(status="accepted")),
            "rejected": examples.count(Filter(status="rejected")),
        },
        "spending": spending(session).told(),
        "categories": {one.category: {"target": one.target, "accepted": one.accepted} for one in standing(session)},
    }
