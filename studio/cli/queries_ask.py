"""``studio queries ask``, ``answers`` and ``triage``: queries put to a chatbot, its answers, and what was wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from studio.build import Session
from studio.build.queries import ask_stage
from studio.cli import options
from studio.cli.display import show
from studio.cli.options import DEFAULT_SPEC, OFFLINE, WORKSPACE, asks_models, open_session
from studio.cli.output import cell, out, say, say_json, tell_prose
from studio.cli.queries import Concurrency, Seed, ending
from studio.errors import UserError
from studio.files import as_seen, write_atomic
from studio.llm import ModelSettings
from studio.queries import MOST_TURNS, Answered, Asking, Chatbot
from studio.queries.ask import answers_of, chatbot_settings, find_asking
from studio.queries.mismatches import AskReport, SideReport, ask_report, judge_line, lines_of, markdown
from studio.queries.rates import Rate
from studio.queries.review import CATEGORY, send_to_triage, upheld
from studio.queries.stored import queries_of

CHATBOT = "An OpenAI-compatible server: the chatbot that is asked."
KEY = "The environment variable with the chatbot's key; without it none is sent."
RUN = "Ask base and tuned of a training run instead."
NAME = "A name for this asking; another name asks again."
SYSTEM = "A file with the chatbot's system prompt."
TURNS = "Turns of the customer; from 2 on a model plays them."
Name = Annotated[str, typer.Option("--name", metavar="NAME", help="An asking; the newest if not given.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the report there, as Markdown.")]


@asks_models()
def ask(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    count: Annotated[int, typer.Option("--count", "-n", metavar="N", min=1, help="Queries to ask.")] = 200,
    chatbot: Annotated[str | None, typer.Option("--chatbot", metavar="URL", help=CHATBOT)] = None,
    chatbot_model: Annotated[
        str | None, typer.Option("--chatbot-model", metavar="NAME", help="The chatbot's model.")
    ] = None,
    chatbot_key: Annotated[str | None, typer.Option("--chatbot-key-variable", metavar="NAME", help=KEY)] = None,
    run: Annotated[str | None, typer.Option("--run", metavar="ID", help=RUN)] = None,
    system: Annotated[Path | None, typer.Option("--system", metavar="FILE", help=SYSTEM)] = None,
    turns: Annotated[int, typer.Option("--turns", metavar="N", min=1, max=MOST_TURNS, help=TURNS)] = 1,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", metavar="N", min=1, help="Tokens an answer may take.")
    ] = None,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help=NAME)] = "",
    path: Out = None,
    seed: Seed = 0,
    concurrency: Concurrency = None,
    settings: ModelSettings = OFFLINE,
    as_json: options.AsJson = False,
) -> None:
    """Ask a chatbot the queries, and judge its answers by what the topics expect. Started again it goes on.

    Example: studio queries ask specs/bank-support.yaml -n 200 --chatbot https://bot.example/v1 --chatbot-model bot
    """
    asked = None
    if chatbot is not None:
        if chatbot_model is None:
            raise UserError("no model of the chatbot is named", where="ask", remedy="name it with --chatbot-model")
        cost = settings.max_cost_usd
        found = chatbot_settings(chatbot, chatbot_model, chatbot_key, dict(os.environ), max_cost_usd=cost)
        asked = Chatbot(name=chatbot_model, settings=found)
    with open_session(spec, workspace, settings, seed=seed) as session:
        end = show(
            ask_stage,
            session,
            chatbot=asked,
            run_id=run or "",
            count=count,
            name=name,
            system=_text(system),
            turns=turns,
            max_tokens=max_tokens,
            concurrency=concurrency,
        )
        asking = find_asking(session.workspace.documents, name)
        report, answers, file = _report(session, asking, path)
    if as_json:
        say_json({"run": end.model_dump(mode="json"), "file": as_seen(file)} | report.model_dump(mode="json"))
        return
    say(ending(end, "answers"))
    if not end.complete:
        tell_prose(end.note)
    print_report(report)
    say(f"report: {as_seen(file)}")
    if any(one.mismatches for one in answers):
        tell_prose("the mismatches, to correct and learn from: studio queries triage SPEC")


def answers(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    name: Name = "",
    mismatched: Annotated[bool, typer.Option("--mismatched", help="Show each mismatch, with what was said.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Show every answer, those that nobody judged too.")] = False,
    path: Out = None,
    as_json: options.AsJson = False,
) -> None:
    """Tell what an asking came to: mismatches by topic, by user type and by what was expected.

    Example: studio queries answers specs/bank-support.yaml --mismatched
    """
    with open_session(spec, workspace) as session:
        asking = find_asking(session.workspace.documents, name)
        report, found, file = _report(session, asking, path)
    if as_json:
        say_json({"file": as_seen(file)} | report.model_dump(mode="json"))
        return
    print_report(report)
    for one in found:
        if everything or (mismatched and one.mismatches):
            say("\n" + "\n".join(f"{label}: {text}" for label, text in one.page.items()))
    say(f"report: {as_seen(file)}")


def triage(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    name: Name = "",
    side: Annotated[str, typer.Option("--side", metavar="SIDE", help="Of a run: base or tuned alone.")] = "",
    as_json: options.AsJson = False,
) -> None:
    """Send the mismatches of an asking to triage, as pending examples: correct one, and it can be trained on.

    They count for no target, and are exported only once you accept or correct them. Sent again, the rest is added.

    Example: studio queries triage specs/bank-support.yaml
    """
    with open_session(spec, workspace) as session:
        documents = session.workspace.documents
        asking = find_asking(documents, name)
        found = [one for one in answers_of(documents, asking) if side in ("", one.side)]
        queries = queries_of(documents, "people", asking.seed)
        sent = send_to_triage(session.loaded, session.workspace, asking, found, queries)
    if as_json:
        say_json(sent)
        return
    more = f", {sent.unusable} have an empty answer" if sent.unusable else ""
    say(f"{sent.added} mismatches are pending in triage, {sent.known} were there already{more}")
    if sent.added:
        tell_prose(f'to see them: studio triage list SPEC --category "{CATEGORY}"')


def register(group: typer.Typer) -> None:
    """Add these commands to those of ``studio queries``."""
    for command in (ask, answers, triage):
        group.command(command.__name__)(command)


def print_report(report: AskReport) -> None:
    """Of each side what was asked, then its rates by topic and by user type, and the items that were missed."""
    say(judge_line(report))
    for side in report.sides:
        for line in lines_of(side):
            say(line)
        _rates("by topic", side.topics)
        _rates("by user type", side.user_types)
        _items(side)


def _rates(title: str, rates: tuple[Rate, ...]) -> None:
    if not rates:
        return
    table = Table(box=None, pad_edge=False)
    table.add_column(cell(f"\n{title}"))
    table.add_column(cell("\nmismatched"), justify="right")
    for one in rates:
        table.add_row(cell(one.name), cell(one.text))
    out.print(table)


def _items(side: SideReport) -> None:
    missed = [one for one in side.items if one.missed.events]
    if not missed:
        return
    table = Table(box=None, pad_edge=False)
    for title in ("\nexpected, and missed", "met", "not met", "contradicted"):
        table.add_column(cell(title), justify="left" if title.startswith("\n") else "right")
    for one in missed:
        counts = (one.counts.get("met", 0), one.counts.get("not met", 0), one.counts.get("contradicted", 0))
        table.add_row(cell(f"{one.topic}: {one.expected}"), *(cell(count) for count in counts))
    out.print(table)


def _report(session: Session, asking: Asking, path: Path | None) -> tuple[AskReport, list[Answered], Path]:
    """The report of an asking, its answers, and the Markdown file that it was written to."""
    found = answers_of(session.workspace.documents, asking)
    report = ask_report(asking, found, upheld(session.workspace, found))
    file = path or session.workspace.exports_dir / f"answers-{asking.id}.md"
    write_atomic(file, markdown(report, found))
    return report, found, file


def _text(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError("cannot be read as text", where=str(path)) from error
