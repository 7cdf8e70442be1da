"""Import: conversations of a file as pending examples, whole or not at all.

The file is read twice, as a stream: once to find what is wrong with it and how each conversation stands to all
others, then to keep it, in one transaction. What breaks a rule, repeats an example or says a held-out message is
rejected, as an author's would be; the rest is judged when generating begins the next time, or decided by a person.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from studio.bank.records import Bad, bounded_lines, records
from studio.chatml import Frozen, Messages
from studio.dataset.foreign import Shape, WrongError, chosen_fields, conversation, shape_of, text_of
from studio.errors import UserError
from studio.generate.plan import digest_of, open_scenarios
from studio.generate.recorded import RecordedPerson
from studio.generate.screening import Screened, Screening, rejection
from studio.judge import RULES
from studio.judge.rules import ReplyRules, broken
from studio.judge.scoring import concluded
from studio.spec import LoadedSpec
from studio.store import Example, Judgement, Person, Workspace

Outcome = Literal["pending", "known", "duplicate", "held_out", "rules"]
TOLD = 1000
"""Records between two tells of how many were read."""


class Imported(Frozen):
    """What a file holds and what became of it, or would."""

    shape: str
    records: int
    bad: int
    outcomes: dict[Outcome, int]
    """``pending`` ones wait for a judge; ``known`` ones were there, or are in the file twice; the others are rejected:
    they repeat an example (``duplicate``), say a held-out message (``held_out``) or break a rule (``rules``)."""
    added: int = 0
    """Examples that were not there before, rejected ones too; 0 of a dry run."""


class _Read(NamedTuple):
    place: str
    scenario: str
    category: str
    example_id: str
    person: Person
    messages: Messages


def import_file(
    loaded: LoadedSpec,
    workspace: Workspace,
    path: Path,
    *,
    shape: Shape | None = None,
    fields: tuple[str, ...] = (),
    scenario: str = "",
    skip_bad: bool = False,
    write: bool = True,
    bad: Callable[[Bad], None] = lambda _: None,
    progress: Callable[[int], None] = lambda _: None,
) -> Imported:
    """Keep the conversations of ``path`` (.json, .jsonl, .csv, .tsv or .parquet); without ``write`` only tell.

    ``shape`` is known by the first record where it is not given; ``fields`` are ``OURS=THEIRS``
    (:data:`studio.dataset.foreign.FIELDS`). ``scenario`` is that of records which name none. ``bad`` is told of each
    record that is no conversation, and ``progress`` how many were read. Raises UserError where the file cannot be read
    to its end, and after its last record where there are bad ones, unless ``skip_bad`` or not ``write``; nothing is
    kept then. Where another program writes meanwhile it waits for the whole import: about 0.5 ms an example.
    """
    source = _Source(loaded, path, shape, chosen_fields(fields), scenario)
    before = _mark(path)
    known = {name for _, name in workspace.examples.ids()}
    screening, rules = Screening(workspace.examples, loaded.spec), ReplyRules(loaded.spec)
    outcomes: dict[Outcome, int] = {}
    said: dict[str, Screened] = {}
    rejected: set[str] = set()
    """By a rule."""
    count = wrong = 0
    for one in source.read():
        count += 1
        if count % TOLD == 0:
            progress(count)
        if isinstance(one, Bad):
            wrong += 1
            bad(one)
            continue
        outcome: Outcome = "known"
        if one.example_id not in known:
            known.add(one.example_id)
            if broken(rules.check(one.messages)):
                outcome = "rules"
                rejected.add(one.example_id)
            else:
                found = screening.screen(one.example_id, one.messages)
                outcome = found.reason or "pending"
                if found.neighbour is not None or found.reason:
                    said[one.example_id] = found
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    told = Imported(shape=source.shape or "nothing", records=count, bad=wrong, outcomes=outcomes)
    if not write:
        return told
    if wrong and not skip_bad:
        kinds = "1 record is no conversation" if wrong == 1 else f"{wrong} records are no conversations"
        raise UserError(
            f"{kinds}, so none was kept", where=str(path), remedy="--dry-run names each; --skip-bad goes on"
        )

    def examples() -> Iterator[tuple[Example, Judgement | None, Person]]:
        for one in source.read():
            if isinstance(one, Bad):
                continue
            found, judgement = said.get(one.example_id), None
            if one.example_id in rejected:
                judgement = concluded(loaded, RULES, rules.check(one.messages))
            elif found is not None and found.reason:
                judgement = rejection(loaded, one.messages, found)
            yield _example(loaded, one, found, path), judgement, one.person
        if _mark(path) != before:
            raise UserError("the file changed while it was read, so nothing was kept", where=str(path))

    return told.model_copy(update={"added": workspace.examples.add_examples(examples())})


class _Source:
    """The records of a file, each as a conversation of a scenario or as bad; can be read again."""

    def __init__(
        self, loaded: LoadedSpec, path: Path, shape: Shape | None, fields: Mapping[str, str], scenario: str
    ) -> None:
        self.shape = shape
        self._path, self._fields, self._scenario = path, fields, scenario
        self._items = {item: category for category, item in open_scenarios(loaded.spec)}
        if scenario and scenario not in self._items:
            remedy = f"one of: {'; '.join(self._items)}"
            raise UserError(f"no such scenario: {scenario}", where="--scenario", remedy=remedy)

    def read(self) -> Iterator[_Read | Bad]:
        for place, record in _records(self._path):
            if isinstance(record, Bad):
                yield record
                continue
            if self.shape is None:
                try:
                    self.shape = shape_of(record, self._fields)
                except UserError as error:
                    raise UserError(error.message, where=f"{self._path}: {place}", remedy=error.remedy) from None
            try:
                yield self._one(place, record, self.shape)
            except WrongError as error:
                yield Bad(place=place, why=str(error))

    def _one(self, place: str, record: Mapping[str, Any], shape: Shape) -> _Read:
        messages = conversation(record, shape, self._fields)
        named = record.get(self._fields.get("scenario", "scenario"))
        shows = text_of(named, "scenario").strip() if named else self._scenario
        if shows not in self._items:
            raise WrongError(self._unknown(shows))
        try:
            person = RecordedPerson.model_validate(record.get("person") or {})
        except ValidationError as error:
            wrong = error.errors(include_url=False)[0]
            raise WrongError(f"person.{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}") from None
        example_id = digest_of("recorded", shows, *(f"{one.role}:{one.content}" for one in messages))
        return _Read(place, shows, self._items[shows], example_id, person.person("hand"), messages)

    def _unknown(self, shows: str) -> str:
        if not shows:
            return "names no scenario of the spec: give --scenario ITEM, or --field scenario=COLUMN"
        near = get_close_matches(shows, [*self._items], n=1)
        return f"expected a scenario of the spec that is trained on, found {shows!r}" + (
            f"; is it {near[0]!r}?" if near else ""
        )


def _records(path: Path) -> Iterator[tuple[str, dict[str, Any] | Bad]]:
    try:
        found = _object_lines(path) if _is_lines(path) else records(path)
        for place, record in found:
            if isinstance(record, str):
                raise UserError("expected conversations, found plain text", where=str(path))
            yield place, record
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror or error}", where=str(path)) from None
    except UserError as error:
        told = error.message.replace("people", "conversations").replace(".txt or ", "or ")
        raise UserError(told, where=error.where, remedy=error.remedy.replace(".txt or ", "or ")) from None


def _is_lines(path: Path) -> bool:
    """Whether a file named as JSON holds an object a line, which may well have lists in them."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4096).lstrip(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def _object_lines(path: Path) -> Iterator[tuple[str, dict[str, Any] | Bad]]:
    with path.open("rb") as file:
        for number, line in bounded_lines(file):
            place = f"line {number}"
            try:
                value = json.loads(line.decode("utf-8-sig")) if line is not None and line.strip() else line
            except (ValueError, RecursionError):
                if number == 1:
                    remedy = "expected a list of conversations, or an object a line"
                    raise UserError("one object over several lines", where=str(path), remedy=remedy) from None
                value = None
            if isinstance(value, dict):
                yield place, value
            elif value is None or value.strip():
                yield place, Bad(place=place, why="expected one JSON object a line")


def _example(loaded: LoadedSpec, one: _Read, found: Screened | None, path: Path) -> Example:
    return Example(
        id=one.example_id,
        spec_hash=loaded.hash,
        category=one.category,
        scenario=one.scenario,
        person_id=one.person.id,
        messages=one.messages,
        origin="imported",
        author=f"imported from {path.name}",
        neighbour=found.neighbour if found else None,
        created=datetime.now(UTC),
    )


def _mark(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=str(path)) from None
    return found.st_size, found.st_mtime_ns, found.st_ino
