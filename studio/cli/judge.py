"""``studio judge``: people label replies, a judge scores them, and how far the two agree is measured."""

from __future__ import annotations

import asyncio
import json
import os
import select
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import TypeAdapter

from studio.cli import options
from studio.cli.evaluate import evaluated_run, print_gates, print_verdict
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
from studio.errors import UserError
from studio.evaluate.labelling import WANTED, Choice, Item, Labelling
from studio.files import write_atomic
from studio.judge import Agreement, Judge, Reply, agreement, open_judge, read_labels, read_replies, source_of
from studio.llm import CallLog, ModelSettings, check_budget
from studio.spec import LoadedSpec, load
from studio.store import Owner, Workspace
from studio.store.records import Judgement

app = group(
    "Score replies, and measure how far a judge agrees with people.",
    "studio judge score specs/taskmaster.yaml replies.jsonl",
)
AT_ONCE = 16
T = TypeVar("T")
Replies = Annotated[Path, typer.Argument(metavar="FILE", help="JSON lines, each with messages that end with a reply.")]
Labels = Annotated[Path, typer.Argument(metavar="FILE", help="JSON lines, each with messages and labels.")]
_HOW = {
    "locked": "on replies of locked runs",
    "unseen": "on replies that it has not learned from",
    "cross-validated": "cross-validated: it has learned from all of these replies, so others like it were tried",
}
HELP = "0 1 2 score   b boundary   s skip   u undo   q quit (what is answered is kept)   ? the anchors again"
PAIR_HELP = "h left   l right   t tie   s skip   u undo   q quit (what is answered is kept)"
CHOICE: TypeAdapter[Choice] = TypeAdapter(Choice)
CHOICES: dict[str, Choice] = {"h": "left", "l": "right", "t": "tie"}
Say = Callable[[str], None]


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
        sitting = Labelling(session.workspace, session.loaded.spec, evaluation, pairs=pairs, wanted=number, by=by)
        if export:
            written = _write_items(sitting, export)
            if not as_json:
                say(f"{written} to answer: {export}")
        elif answers:
            _read_answers(sitting, answers)
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


def sit(sitting: Labelling, keys: Iterator[str], show: Say) -> None:
    """Ask item by item until enough is answered, or ``q``, or there are no more keys."""
    show(PAIR_HELP if sitting.pairs else HELP)
    while (item := sitting.next_item()) is not None:
        show(f"\n--- {sitting.done + 1} of {sitting.wanted} ---")
        show(_conversation(item))
        if not (_choose if sitting.pairs else _score_traits)(sitting, item, keys, show):
            return


def _score_traits(sitting: Labelling, item: Item, keys: Iterator[str], show: Say) -> bool:
    """One key a trait; the answer is kept with the last one. Whether to go on."""
    marks: list[int] = []
    boundary: str | None = None
    show(_anchors(sitting))
    while len(marks) < len(sitting.traits):
        name = sitting.traits[len(marks)].name
        show(f"{name} (0 1 2)?")
        match next(keys, "q"):
            case "0" | "1" | "2" as key:
                marks.append(int(key))
                show(f"{name} {key}")
            case "b":
                boundary = _boundary(sitting, keys, show)
            case "u" if marks:
                marks.pop()
            case "?":
                show(_anchors(sitting))
            case "u" | "s" | "q" as key:
                return _leave(sitting, item, key, show)
            case _:
                show(HELP)
    names = (trait.name for trait in sitting.traits)
    sitting.answer(item.id, dict(zip(names, marks, strict=True)), boundary)
    return True


def _choose(sitting: Labelling, item: Item, keys: Iterator[str], show: Say) -> bool:
    while (key := next(keys, "q")) not in (*CHOICES, "u", "s", "q"):
        show(PAIR_HELP)
    if key not in CHOICES:
        return _leave(sitting, item, key, show)
    sitting.prefer(item.id, CHOICES[key])
    return True


def _leave(sitting: Labelling, item: Item, key: str, show: Say) -> bool:
    """Leave an item without an answer: undo the one before, skip it or quit; whether the sitting goes on."""
    if key == "u":
        show("took back the answer before" if sitting.undo() else "nothing to undo")
    elif key == "s":
        sitting.skip(item.id)
    return key != "q"


def _boundary(sitting: Labelling, keys: Iterator[str], show: Say) -> str | None:
    """The boundary that is crossed, by the letter it is listed under; any other key: none."""
    letters = {chr(ord("a") + place): one for place, one in enumerate(sitting.boundaries)}
    if not letters:
        show("the spec has no boundaries")
        return None
    for letter, one in letters.items():
        show(f"  {letter}  {one.id}: {one.never}")
    found = letters.get(next(keys, ""))
    show(f"crosses {found.id}" if found else "crosses none")
    return found.id if found else None


def _conversation(item: Item) -> str:
    asked = [f"{message.role}: {message.content}" for message in item.messages]
    names = ("left", "right") if len(item.replies) == 2 else ("reply",)
    return "\n\n".join([*asked, *(f"[{name}] {reply}" for name, reply in zip(names, item.replies, strict=True))])


def _anchors(sitting: Labelling) -> str:
    lines = []
    for trait in sitting.traits:
        anchors = "; ".join(f"{score} {text}" for score, text in sorted(trait.anchors.items(), reverse=True))
        lines.append(f"  {trait.name}: {anchors or trait.is_}")
    return "\n".join(lines)


def _write_items(sitting: Labelling, path: Path) -> int:
    """One item a line, with its labels to be filled in; how many. Raises UserError where the file is there already."""
    if path.exists():
        raise UserError("is there already, maybe with answers in it", where=str(path), remedy="choose another name")
    lines = []
    for item in sitting.items(max(sitting.wanted - sitting.done, 0)):
        line: dict[str, Any] = {"id": item.id, "messages": [message.model_dump() for message in item.messages]}
        if sitting.pairs:
            line |= {"left": item.replies[0], "right": item.replies[1], "winner": None}
        else:
            labels = {trait.name: None for trait in sitting.traits}
            line |= {"reply": item.replies[0], "labels": labels, "boundary": None}
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    write_atomic(path, "".join(lines))
    return len(lines)


def _read_answers(sitting: Labelling, path: Path) -> None:
    """Take the answers of an export that was filled in. Lines that nobody filled in are passed over.

    Raises UserError with the line of the first that cannot be taken; those before it are kept.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError("cannot be read as text", where=str(path)) from error
    expected = '{"id": ..., "winner": "left"}' if sitting.pairs else '{"id": ..., "labels": {...}, "boundary": null}'
    for number, line in enumerate(lines, 1):
        try:
            if line.strip():
                _take(sitting, json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise UserError(f"expected {expected}", where=f"{path}:{number}") from None
        except UserError as error:
            raise UserError(error.message, where=f"{path}:{number}", remedy=error.remedy) from None


def _take(sitting: Labelling, line: dict[str, Any]) -> None:
    if sitting.pairs:
        if line.get("winner") is not None:
            sitting.prefer(line["id"], CHOICE.validate_python(line["winner"]))
        return
    labels = {name: score for name, score in (line.get("labels") or {}).items() if score is not None}
    if labels or line.get("boundary") is not None:
        sitting.answer(line["id"], labels, line.get("boundary"))


@contextmanager
def terminal_keys() -> Iterator[Iterator[str]]:
    """Keys of the terminal as they are pressed, without enter. Raises UserError where stdin is none."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError("labelling wants a terminal", remedy="in a script: --export FILE, then --import FILE")
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield _pressed(sys.stdin.fileno())
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _pressed(source: int) -> Iterator[str]:
    def more() -> bytes:
        return os.read(source, 1) if select.select([source], [], [], 0.02)[0] else b""

    while key := os.read(source, 1):
        if key != b"\x1b":
            yield key.decode("latin-1").lower()
        elif more() in (b"[", b"O"):  # an arrow or a function key, which is none of ours: up to its final byte
            while (part := more()) and not b"@" <= part <= b"~":
                pass


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
            log = workspace.examples
        judge = open_judge(settings, loaded, log)
        closing.push_async_callback(judge.close)
        return await question(judge)


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
