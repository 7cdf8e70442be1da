"""``studio triage``: look at examples, decide, export them, and add some of one's own."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from studio.build import Session
from studio.chatml import Message, assistant, user
from studio.cli.options import (
    DEFAULT_SPEC,
    OFFLINE,
    WORKSPACE,
    AsJson,
    SpecFile,
    WorkspaceFolder,
    asks_models,
    group,
    open_session,
)
from studio.cli.output import say, say_json, tell
from studio.cli.review import review
from studio.cli.triage_list import EitherSpec, SpecOption, known_ids, like, listing
from studio.dataset import STREAM, export_chatml
from studio.errors import UserError
from studio.files import as_seen
from studio.generate.by_hand import Added, add_by_hand, read_draft, read_examples, template
from studio.generate.recorded import Recording, read_file
from studio.generate.regenerate import regenerate
from studio.judge import NOBODY
from studio.llm import ModelError, ModelSettings
from studio.store import Decision, Filter
from studio.triage import REASONS, Triage
from studio.triage.edits import judge_edit

STDIN = Path("-")
STDOUT = (STREAM, Path("/dev/stdout"))
SLUGS = [slug for slug, _ in REASONS.values()]
OUTCOMES = {
    "added": "added",
    "known": "known already",
    "duplicate": "rejected as a near-duplicate",
    "held_out": "rejected: a held-out message",
}
app = group("Look at examples, decide, and export them.", "studio triage list --status rejected")
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Examples, by id or by how it begins; - is stdin.")]
Scenario = Annotated[str, typer.Option(metavar="ITEM", help="The scenario that it shows, as the spec has it.")]
Accept = Annotated[bool, typer.Option("--accept", help="Accept what is added at once.")]


@app.command("new")
def new(
    spec: SpecFile,
    workspace: WorkspaceFolder = WORKSPACE,
    scenario: Scenario = "",
    said: Annotated[str | None, typer.Option("--user", metavar="TEXT", help="What the user says.")] = None,
    reply: Annotated[str | None, typer.Option("--assistant", metavar="TEXT", help="What the persona answers.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="The conversation: text as the editor has it, or JSON; - is stdin.")
    ] = None,
    accept: Accept = False,
    as_json: AsJson = False,
) -> None:
    """Write one example by hand; without --user or --file in $EDITOR.

    Example: studio triage new specs/mine.yaml --scenario "Asks the way" --user "Hi" --assistant "Left." --accept
    """
    if (said is None) != (reply is None) or (said is not None and file is not None):
        raise UserError("expected --user and --assistant together, or --file", remedy="or none, to write in $EDITOR")
    with open_session(spec, workspace) as session:
        one = _written(session, scenario, said, reply, file)
        (added,) = add_by_hand(session.loaded, session.workspace, [one])
        if accept:
            _accept(session, [added])
    if as_json:
        say_json(added)
        return
    say(f"{OUTCOMES[added.outcome]}: {added.example_id}" + (f" ({added.says})" if added.says else ""))
    if added.outcome == "added" and not accept:
        tell(f"it is pending; studio triage accept {added.example_id} --spec {as_seen(spec)} accepts it")


@app.command("import")
def import_file(
    spec: SpecFile,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON lines with scenario and messages; - is stdin.")],
    workspace: WorkspaceFolder = WORKSPACE,
    scenario: Scenario = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be added, and add nothing.")] = False,
    accept: Accept = False,
    as_json: AsJson = False,
) -> None:
    """Add examples from a file of ChatML lines; none where a line is wrong.

    Example: studio triage import specs/mine.yaml talks.jsonl --scenario "Asks the way" --dry-run
    """
    with open_session(spec, workspace) as session:
        conversations = read_examples(_text(file), as_seen(file), session.loaded.spec, scenario)
        added = add_by_hand(session.loaded, session.workspace, conversations, write=not dry_run)
        if accept and not dry_run:
            _accept(session, added)
    if as_json:
        counts = Counter(one.outcome for one in added)
        say_json({"dry_run": dry_run, "counts": counts, "lines": [one.model_dump() for one in added]})
        return
    for one in added:
        if one.says:
            tell(f"line {one.line}: {OUTCOMES[one.outcome]} ({one.says})")
    found = Counter(OUTCOMES[one.outcome] for one in added)
    listed = ", ".join(f"{count} {outcome}" for outcome, count in found.items()) or "no conversation in it"
    say(f"nothing is stored: {listed}" if dry_run else listed)
    if not (dry_run or accept) and any(one.outcome == "added" for one in added):
        tell("they are pending: judged when generating begins the next time, or decided by you in triage")


app.command("list")(listing)
app.command("like")(like)


@app.command("accept")
def accept(ids: Ids, spec: SpecOption = DEFAULT_SPEC, workspace: WorkspaceFolder = WORKSPACE) -> None:
    """Accept examples. Example: studio triage accept 3f2a"""
    with open_session(spec, workspace) as session:
        for done in Triage(session.workspace).accept_all(known_ids(session, ids)):
            say(f"accepted {done.example_id}")


@app.command("reject")
def reject(
    ids: Ids,
    reason: Annotated[str, typer.Option(help=f"One of: {', '.join(SLUGS)}.")],
    spec: SpecOption = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
) -> None:
    """Reject examples with a reason. Example: studio triage reject 3f2a --reason tone"""
    if reason not in SLUGS:
        raise UserError(f"no such reason: {reason}", remedy=f"one of {', '.join(SLUGS)}")
    with open_session(spec, workspace) as session:
        for done in Triage(session.workspace).reject_all(known_ids(session, ids), reason):
            say(f"rejected {done.example_id}")


@app.command("edit")
@asks_models("author")
def edit(
    name: Annotated[str, typer.Argument(metavar="ID", help="An example, by id or by how it begins.")],
    assistant: Annotated[str, typer.Option(help="The reply as it ought to be.")],
    settings: ModelSettings = OFFLINE,
    spec: SpecOption = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
) -> None:
    """Replace an example's last reply, accept it, and have it judged at once.

    Example: studio triage edit 3f2a --assistant "Nice work!"
    """
    with open_session(spec, workspace, settings) as session:
        row = session.workspace.examples.row(known_ids(session, [name])[0])
        assert row is not None, "known"
        edited = (*row.messages[:-1], Message(role="assistant", content=assistant))
        Triage(session.workspace).edit(row.example.id, edited)
        judgement = asyncio.run(judge_edit(session.loaded, session.workspace, settings, row.example.id))
        total = f", {judgement.total:.1f} of 10" if judgement and judgement.total is not None else ""
        say(f"edited {row.example.id}")
        if judgement is not None and judgement.judge != NOBODY:
            tell(f"{judgement.judge}: {judgement.verdict}{total}")


@app.command("regenerate")
@asks_models()
def again(
    name: Annotated[str, typer.Argument(metavar="ID", help="An example, by id or by how it begins.")],
    note: Annotated[str, typer.Option(metavar="TEXT", help="What ought to be other, for the author.")] = "",
    whole: Annotated[bool, typer.Option("--whole", help="Another conversation of its scenario and person.")] = False,
    settings: ModelSettings = OFFLINE,
    spec: SpecOption = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    as_json: AsJson = False,
) -> None:
    """Ask the author for another reply to the same user's turn; the new one stands beside the old.

    Example: studio triage regenerate 3f2a --note "less advice" --endpoint http://localhost:8000/v1 --model qwen3
    """
    with open_session(spec, workspace, settings) as session:
        row = session.workspace.examples.row(known_ids(session, [name])[0])
        assert row is not None, "known"
        try:
            made = asyncio.run(regenerate(session.loaded, session.workspace, settings, row, note, whole=whole))
        except ModelError as error:
            raise UserError(f"no answer came: {error}", remedy="the same command asks again") from None
    if as_json:
        say_json(made)
        return
    total = "unscored" if made.total is None else f"{made.total:.1f} of 10"
    why = f" ({', '.join(made.reasons)})" if made.reasons else ""
    say(f"written {made.example_id} beside {made.instead_of}: {made.verdict}, {total}{why}")


@app.command("undo")
def undo(file: EitherSpec = None, spec: SpecOption = DEFAULT_SPEC, workspace: WorkspaceFolder = WORKSPACE) -> None:
    """Take back what was decided last, all of one command at once. Example: studio triage undo"""
    with open_session(file or spec, workspace) as session:
        say(_told("took back", Triage(session.workspace).undo()) or "nothing to undo")


@app.command("redo")
def redo(file: EitherSpec = None, spec: SpecOption = DEFAULT_SPEC, workspace: WorkspaceFolder = WORKSPACE) -> None:
    """Put back what undo took. Example: studio triage redo"""
    with open_session(file or spec, workspace) as session:
        say(_told("put back", Triage(session.workspace).redo()) or "nothing to redo")


app.command("review")(review)


@app.command("export")
def export(
    file: EitherSpec = None,
    spec: SpecOption = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    path: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Instead of the workspace; - is stdout.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file, whatever it holds.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the accepted examples as ChatML JSONL. Example: studio triage export --out data.jsonl"""
    piped = path in STDOUT
    if piped and as_json:
        raise UserError("--json and --out - both want stdout", remedy="leave one out")
    target = sys.stdout.buffer if piped else path
    with open_session(file or spec, workspace) as session:
        done = export_chatml(session.workspace, session.loaded, target, force=force)
    if as_json:
        say_json(done)
    else:
        left_out = f" ({done.held_out} left out that say a held-out message)" if done.held_out else ""
        aside = piped or not done.path.is_file()  # what reads the data reads no words
        (tell if aside else say)(f"{done.count} examples: {done.path}{left_out}")


def _told(done: str, decisions: list[Decision]) -> str:
    """``took back: reject a1 b2``; empty where nothing was."""
    return f"{done}: {decisions[0].action} {' '.join(one.example_id for one in decisions)}" if decisions else ""


def _written(session: Session, scenario: str, said: str | None, reply: str | None, file: Path | None) -> Recording:
    spec = session.loaded.spec
    if said is not None and reply is not None:
        turns = [message.model_dump() for message in (user(said), assistant(reply))]
        return read_draft(json.dumps(turns), "the example", spec, scenario)
    if file is not None:
        return read_draft(_text(file), as_seen(file), spec, scenario)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError("no terminal to write in", remedy="give --user and --assistant, or --file FILE")
    return _edited(session, scenario)


def _edited(session: Session, scenario: str) -> Recording:
    """What is written in the editor. Where it cannot be used the page is kept, and the error says where."""
    spec = session.loaded.spec
    page = template(spec, scenario)
    with tempfile.NamedTemporaryFile("w", prefix="example-", suffix=".txt", encoding="utf-8", delete=False) as opened:
        opened.write(page)
    draft, name = Path(opened.name), opened.name
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    try:
        subprocess.run([*editor, name], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        kept = f"what was written is in {name}"
        raise UserError(f"the editor failed: {error}", where=editor[0], remedy=kept) from None
    text = draft.read_text(encoding="utf-8")
    if text == page:
        draft.unlink()
        raise UserError("nothing was written", remedy="write the user's message and the reply, and save")
    try:
        one = read_draft(text, name, spec, scenario)
    except UserError as error:
        remedy = f"your text is kept: mend it, then: studio triage new {session.loaded.path} --file {name}"
        raise UserError(error.message, where=name, remedy=remedy) from None
    draft.unlink()
    return one


def _accept(session: Session, added: Sequence[Added]) -> None:
    """Accept, as one step, what was added or waits since an earlier time."""
    named = tuple(one.example_id for one in added if one.outcome in ("added", "known"))
    waiting = session.workspace.examples.each(Filter(ids=named, status="pending", decided=False))
    Triage(session.workspace).accept_all([row.example.id for row in waiting])


def _text(file: Path) -> str:
    if file != STDIN:
        return read_file(file)
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError("expected UTF-8 text", where="stdin") from None
