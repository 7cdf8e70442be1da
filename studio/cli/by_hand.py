"""``studio triage new`` and ``import``: examples that a person wrote."""

from __future__ import annotations

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

from studio.build.types import Session
from studio.chatml import assistant, user
from studio.cli.options import WORKSPACE, AsJson, WorkspaceFolder
from studio.cli.output import say, say_json, tell
from studio.cli.run import open_session
from studio.errors import UserError
from studio.files import as_seen
from studio.generate.by_hand import Added, add_by_hand, read_draft, read_examples, template
from studio.generate.recorded import Recording, read_file
from studio.triage import Triage

STDIN = Path("-")
_OUTCOMES = {
    "added": "added",
    "known": "known already",
    "duplicate": "rejected as a near-duplicate",
    "held_out": "rejected: a held-out message",
}
SpecFile = Annotated[Path, typer.Argument(metavar="SPEC", help="The persona's YAML file.")]
Scenario = Annotated[str, typer.Option(metavar="ITEM", help="The scenario that it shows, as the spec has it.")]
Accept = Annotated[bool, typer.Option("--accept", help="Accept what is added at once.")]


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
    say(f"{_OUTCOMES[added.outcome]}: {added.example_id}" + (f" ({added.says})" if added.says else ""))
    if added.outcome == "added" and not accept:
        tell(f"it is pending; studio triage accept {added.example_id} --spec {as_seen(spec)} accepts it")


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
            tell(f"line {one.line}: {_OUTCOMES[one.outcome]} ({one.says})")
    found = Counter(_OUTCOMES[one.outcome] for one in added)
    listed = ", ".join(f"{count} {outcome}" for outcome, count in found.items()) or "no conversation in it"
    say(f"nothing is stored: {listed}" if dry_run else listed)
    if not (dry_run or accept) and any(one.outcome == "added" for one in added):
        tell("they are pending: judged when generating begins the next time, or decided by you in triage")


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
    handle, name = tempfile.mkstemp(prefix="example-", suffix=".txt")
    draft = Path(name)
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(page)
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    try:
        subprocess.run([*editor, name], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(
            f"the editor failed: {error}", where=editor[0], remedy=f"what was written is in {name}"
        ) from None
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
    triage = Triage.of_several(session.workspace)
    for one in added:
        row = session.workspace.examples.row(one.example_id)
        if row is not None and row.decision is None and one.outcome in ("added", "known") and row.status == "pending":
            triage.accept(one.example_id)


def _text(file: Path) -> str:
    if file != STDIN:
        return read_file(file)
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError("expected UTF-8 text", where="stdin") from None
