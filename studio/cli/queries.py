"""``studio queries``: queries for a chatbot made, exported, voted on, and compared with naive ones."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from studio.bank.chart import figures, svg
from studio.bank.diversity import WORDS
from studio.build.queries import queries_stage
from studio.cli import options
from studio.cli.bank_report import reasons_line
from studio.cli.display import duration, show
from studio.cli.options import DEFAULT_SPEC, OFFLINE, WORKSPACE, asks_models, group, open_session
from studio.cli.output import cell, out, say, say_json, tell, tell_prose
from studio.cli.terminal_keys import terminal_keys
from studio.embed import disk_embedder
from studio.errors import UserError
from studio.files import as_seen, write_atomic
from studio.inference import ItemsFinished
from studio.llm import ModelSettings
from studio.queries import Arm
from studio.queries.compare import QueryReport, query_report
from studio.queries.stored import check_format, export_queries, queries_of, removed_of
from studio.queries.voting import Pair, Side, Voting, realism, votes_of

app = group("Make queries for a chatbot, ask them, and judge the answers.", "studio queries make SPEC -n 200")
VOTE_HELP = "which would a real customer type?  1 2   t tie   s skip   u undo   q quit (votes are kept)"
SIDES: dict[str, Side] = {"1": "1", "2": "2", "t": "tie"}
Count = Annotated[int, typer.Option("--count", "-n", metavar="N", min=1, help="Queries wanted in all, of this arm.")]
Naive = Annotated[bool, typer.Option("--naive", help="Those without people: by topic and document alone.")]
SEED = "Another seed makes other queries; the same one goes on where it was."
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help=SEED)]
Concurrency = Annotated[
    int | None, typer.Option("--concurrency", metavar="N", min=1, max=1024, help="At once; else what servers bear.")
]
STRICT = "Take two for one from half of their words or meaning on, instead of nine tenths."
SVG = "Write the picture there: bars of the shares, and the measures."
REMOVED = "Write those that do not count, each with its reason and twin."


@app.command("make")
@asks_models()
def make(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    count: Count = 200,
    naive: Naive = False,
    strict: Annotated[bool, typer.Option("--strict", help=STRICT)] = False,
    path: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write them there too: .jsonl or .csv.")
    ] = None,
    seed: Seed = 0,
    concurrency: Concurrency = None,
    settings: ModelSettings = OFFLINE,
    as_json: options.AsJson = False,
) -> None:
    """Have a model write queries: the topics and user types of the spec's profiles, a fresh person each.

    Each is judged for its topic, and compared with all before it; what goes is kept with its reason. They are written
    as JSON lines and CSV into the workspace. Stopped and started again it goes on.

    Example: studio queries make specs/bank-support.yaml -n 200 --endpoint http://localhost:8000/v1 --model NAME
    """
    arm: Arm = "naive" if naive else "people"
    if path is not None:
        check_format(path)
    with open_session(spec, workspace, settings, seed=seed) as session:
        end = show(queries_stage, session, count, arm=arm, strict=strict, concurrency=concurrency)
        found = queries_of(session.workspace.documents, arm, seed)
        name = "-".join(["queries", *(["naive"] if naive else []), *([str(seed)] if seed else [])])
        files = [session.workspace.exports_dir / f"{name}.{kind}" for kind in ("jsonl", "csv")]
        for file in [*files, *([path] if path else [])]:
            export_queries(found, file)
    if as_json:
        say_json(end.model_dump(mode="json") | {"arm": arm, "files": [as_seen(file) for file in files]})
        return
    say(ending(end, f"{arm} queries" if naive else "queries"))
    if end.note:
        tell_prose(end.note)
    for file in files:
        say(f"written: {as_seen(file)}")


@app.command("export")
def export(
    spec: options.SpecFile,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to: .jsonl or .csv.")],
    workspace: options.WorkspaceFolder = WORKSPACE,
    naive: Naive = False,
    full: Annotated[bool, typer.Option("--full", help="All that is known of each: person, topic fit, model.")] = False,
    removed: Annotated[bool, typer.Option("--removed", help=REMOVED)] = False,
    seed: Seed = 0,
) -> None:
    """Write the queries that count: user_type, background, query, topic. Example: studio queries export SPEC q.csv"""
    arm: Arm = "naive" if naive else "people"
    with open_session(spec, workspace) as session:
        documents = session.workspace.documents
        if removed:
            gone = removed_of(documents, arm, seed)
            lines = ({"reason": reason} | query.model_dump(mode="json", exclude={"person"}) for reason, query in gone)
            write_atomic(file, "".join(f"{json.dumps(line)}\n" for line in lines))
            count = len(gone)
        else:
            count = export_queries(queries_of(documents, arm, seed), file, full=full)
    say(f"{count} queries: {as_seen(file)}")


@app.command("vote")
def vote(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    number: Annotated[int, typer.Option("--n", metavar="N", min=1, help="Votes wanted, with those there are.")] = 50,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Whose votes these are.")] = "",
    seed: Seed = 0,
    as_json: options.AsJson = False,
) -> None:
    """Say, blind, which of two queries on a topic a real customer would type: one is a person's, one naive.

    One key a pair, in a terminal or as letters on stdin. Example: studio queries vote specs/bank-support.yaml --n 60
    """
    with open_session(spec, workspace) as session:
        documents = session.workspace.documents
        voting = Voting(documents, n=number, seed=seed, by=by)
        if not voting.wanted:
            remedy = "make both arms: studio queries make SPEC -n 200, and again with --naive"
            raise UserError("there are no pairs to vote on", where="vote", remedy=remedy)
        with _keys() as keys:
            sit(voting, keys, tell if as_json else say)
        found = realism(votes_of(documents))
    if as_json:
        say_json({"done": voting.done, "wanted": voting.wanted, "realism": found.model_dump(mode="json")})
        return
    say(f"{voting.done} of {voting.wanted} voted; people's queries won {found.wins.text}, {found.ties} ties count half")


@app.command("report")
def report(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    picture: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help=SVG)] = None,
    words: Annotated[int, typer.Option("--words", metavar="N", min=3, help="Words kept of each query.")] = WORDS,
    seed: Seed = 0,
    as_json: options.AsJson = False,
) -> None:
    """Compare the queries of people with naive ones: diversity, topic fit, length, and the votes on realism.

    Example: studio queries report specs/bank-support.yaml --svg queries.svg
    """
    with open_session(spec, workspace) as session:
        found = query_report(session.workspace.documents, disk_embedder(), seed=seed, words=words)
    if picture is not None:
        write_atomic(picture, svg([(arm.arm, arm.as_written) for arm in found.arms], "queries"))
    if as_json:
        say_json(found.model_dump(mode="json") | {"svg": as_seen(picture) if picture else None})
        return
    _table(found)
    if picture is not None:
        say(f"picture: {as_seen(picture)}")


def ending(end: ItemsFinished, what: str) -> str:
    """What a run came to, in a line."""
    cost = "cost unknown" if end.cost_usd is None else f"${end.cost_usd:.2f}" if end.cost_usd else "no cost"
    made = f"{end.done - end.known} new of {end.done}" if end.known else str(end.done)
    errors = f", {end.errors} failed" if end.errors else ""
    removed = f", {end.removed} removed{reasons_line(end.reasons)}" if end.removed else ""
    return f"{made} {what}{removed}{errors}; {end.calls} calls, {cost}, {duration(end.seconds)}"


def sit(voting: Voting, keys: Iterator[str], tell_it: Callable[[str], None]) -> None:
    """Ask pair by pair until enough is voted on, or ``q``, or there are no more keys."""
    tell_it(VOTE_HELP)
    while (pair := voting.next_pair()) is not None:
        tell_it(_pair(voting, pair))
        while (key := next(keys, "q")) not in (*SIDES, "s", "u", "q"):
            tell_it(VOTE_HELP)
        if key == "q":
            return
        if key == "u":
            tell_it("took back the vote before" if voting.undo() else "nothing to undo")
        elif key == "s":
            voting.skip(pair)
        else:
            voting.vote(pair, SIDES[key])


def _pair(voting: Voting, pair: Pair) -> str:
    first, second = pair.queries
    head = f"\n--- {voting.done + 1} of {voting.wanted}: {pair.topic} ---"
    return f"{head}\n\n[1] {first.query}\n\n[2] {second.query}\n"


@contextmanager
def _keys() -> Iterator[Iterator[str]]:
    """Keys of the terminal; where stdin is none, the letters on it."""
    if sys.stdin.isatty() and sys.stdout.isatty():
        with terminal_keys() as keys:
            yield keys
    else:
        yield (letter.lower() for line in sys.stdin for letter in line if not letter.isspace())


def _table(found: QueryReport) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column(cell(""), no_wrap=True)
    for arm in found.arms:
        table.add_column(cell(arm.arm), justify="right")

    def row(name: str, told: Callable[[Any], object]) -> None:
        table.add_row(cell(name), *(cell(told(arm)) for arm in found.arms))

    row("written by the model", lambda arm: arm.written)
    row("that count", lambda arm: arm.kept)
    for reason in dict.fromkeys(reason for arm in found.arms for reason in arm.removed):
        row(f"  removed: {reason}", lambda arm, reason=reason: arm.removed.get(reason, 0))  # type: ignore[misc]
    row("fit their topic", lambda arm: arm.fits.brief)
    row("  squarely", lambda arm: arm.squarely.brief)
    row("words: mean", lambda arm: f"{arm.lengths.mean:.1f}")
    row(
        "words: 5 %, median, 95 %", lambda arm: f"{arm.lengths.p5:.0f}, {arm.lengths.median:.0f}, {arm.lengths.p95:.0f}"
    )
    out.print(table)
    for title, of in (
        (f"as written: {found.n} each, {found.words} words", [figures(arm.as_written.measures) for arm in found.arms]),
        (f"that count: {found.arms[0].as_kept.n} each", [figures(arm.as_kept) for arm in found.arms]),
    ):
        measures = Table(box=None, pad_edge=False)
        measures.add_column(cell(f"\n{title}"))
        for arm in found.arms:
            measures.add_column(cell(f"\n{arm.arm}"), justify="right")
        for cells in zip(*of, strict=True):
            measures.add_row(cell(cells[0][0]), *(cell(figure) for _, figure in cells))
        out.print(measures)
    realism = found.realism
    if realism.wins.n:
        say(f"\nrealism: people's queries won {realism.wins.text} of the blind votes, {realism.ties} ties count half")
    else:
        say("\nrealism: nobody has voted yet: studio queries vote SPEC")
