"""The recording beside a spec: conversations written down beforehand, to build from where no model is at hand.

JSON lines, one conversation a line, with the person who is in it::

    {"scenario": "...", "person": {"name": "...", "age": 34, "traits": ["...", "..."], "profession": "...",
     "place": "...", "language": "pl", "background": "...", "chatting_style": "..."},
     "messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}

Each is played once. Which ones were follows from the store alone: the id of its example is a digest of scenario and
conversation. So a run that was killed goes on where it was, and a line that was added or changed is played next time.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Container, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from studio.bank.person import person_id
from studio.chatml import Frozen, Message, Messages, Unicode, conversation_problem
from studio.errors import UserError
from studio.generate.plan import Attempt, Key, digest_of, open_scenarios
from studio.spec import LoadedSpec, Problem, Spec, SpecError
from studio.store import Person

RECORDED = "recorded author"
MOST_BYTES = 64 * 1024 * 1024
_MOST_PROBLEMS = 100
_ALWAYS = 5
"""Fields of a person that count in the id though they are empty."""
_SHOWN = 60
"""Characters of a wrong value that are quoted."""


class RecordedPerson(Frozen):
    """Who talks in a recording; all that is not known of them may be left out."""

    name: Unicode = ""
    age: Annotated[int | None, Field(ge=0, le=130)] = None
    role: Unicode = ""
    background: Unicode = ""
    chatting_style: Unicode = ""
    username: Unicode | None = None
    traits: tuple[Unicode, ...] = ()
    profession: Unicode = ""
    place: Unicode = ""
    language: Unicode = ""

    def person(self, source: Literal["recorded", "hand"]) -> Person:
        """Somebody whose id is that of what is known of them: the first five fields, and whatever else is given."""
        known = self.model_dump()
        parts = [f"{value}" for place, value in enumerate(known.values()) if place < _ALWAYS or value]
        return Person(id=person_id(source, *parts), source=source, **known)


class Line(Frozen):
    """One conversation as the file has it."""

    scenario: Unicode = ""
    person: RecordedPerson = RecordedPerson()
    messages: Messages


Recording = Attempt
"""One to play back, with its ``messages``; its ``number`` is the line where it stands in its file, from 1."""


class Recordings:
    """The attempts that recordings make: each once, in the order of the file within its scenario."""

    def __init__(self, recordings: Sequence[Recording], known: Container[str]) -> None:
        self._queues: defaultdict[Key, deque[Recording]] = defaultdict(deque)
        for one in recordings:
            if one.example_id not in known:
                self._queues[one.category, one.scenario].append(one)

    def next(self, category: str, scenario: str) -> Recording | None:
        queue = self._queues[category, scenario]
        return queue.popleft() if queue else None

    def left(self) -> dict[Key, int]:
        return {key: len(queue) for key, queue in self._queues.items()}


def read_recordings(loaded: LoadedSpec) -> tuple[Recording, ...]:
    """All conversations of the recording beside ``loaded``, in the order of its file.

    Raises :class:`studio.spec.SpecError` with every mistake at once, each with its line; nothing is half-read.
    """
    path = loaded.recorded_path
    return parse_recordings(read_file(path), path, loaded.spec) if path is not None else ()


def parse_recordings(
    text: str, file: Path | str, spec: Spec, *, scenario: str = "", foreign: bool = False
) -> tuple[Recording, ...]:
    """The conversations in ``text``; ``scenario`` is that of lines which name none.

    Of ``foreign`` ones, which were not written for the studio, keys that are not ours and a system turn at the
    beginning are passed over. Raises as :func:`read_recordings`.
    """
    items = {item: name for name, item in open_scenarios(spec)}
    found: list[Recording] = []
    problems: list[Problem] = []
    first: dict[str, int] = {}
    for number, raw in enumerate(text.split("\n"), 1):  # not splitlines: JSON may hold U+2028 as it is
        if not raw.strip() or len(problems) >= _MOST_PROBLEMS:
            continue
        try:
            read = _line(raw, foreign)
            shows = read.scenario.strip() or scenario
            if shows not in items:
                raise _WrongError("scenario", _unknown(shows, spec))
        except _WrongError as error:
            problems.append(Problem(file=str(file), line=number, key=error.key, message=error.message))
            continue
        person = read.person.person("hand" if foreign else "recorded")
        example_id = digest_of("recorded", shows, *(f"{one.role}:{one.content}" for one in read.messages))
        if (before := first.setdefault(example_id, number)) != number:
            message = f"expected each conversation once, found that of line {before} again"
            problems.append(Problem(file=str(file), line=number, key="messages", message=message))
        found.append(Recording(items[shows], shows, number, 0, person, example_id, read.messages))
    if problems:
        raise SpecError(problems)
    return tuple(found)


def read_file(path: Path) -> str:
    """The text of a file of conversations. Raises :class:`studio.errors.UserError` where it is none."""
    try:
        if path.exists() and not path.is_file():
            raise UserError("expected a regular file", where=str(path))
        if path.exists() and path.stat().st_size > MOST_BYTES:
            raise UserError(f"expected at most {MOST_BYTES // 1024**2} MiB", where=str(path))
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UserError("expected UTF-8 text", where=f"{path}:{line}") from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=str(path)) from None


class _WrongError(Exception):
    def __init__(self, key: str, message: str) -> None:
        self.key, self.message = key, message
        super().__init__(message)


def _line(raw: str, foreign: bool) -> Line:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _WrongError("", f"expected one JSON object a line: {getattr(error, 'msg', error)}") from None
    if not isinstance(value, dict):
        raise _WrongError("", 'expected a JSON object with "scenario", "person" and "messages"')
    if foreign:
        value = {key: found for key, found in value.items() if key in Line.model_fields}
    try:
        read = Line.model_validate(value)
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        key = ".".join(map(str, wrong["loc"]))
        if wrong["type"] == "extra_forbidden":
            names = ", ".join(Line.model_fields if len(wrong["loc"]) == 1 else RecordedPerson.model_fields)
            raise _WrongError(key, f"expected one of the keys {names}") from None
        if wrong["type"] == "missing":
            raise _WrongError(key, "expected this key, found nothing") from None
        said = wrong["msg"].replace("Input should be", "expected", 1)
        shown = json.dumps(wrong["input"], ensure_ascii=False, default=str)
        shown = shown[:_SHOWN] + "..." * (len(shown) > _SHOWN)
        raise _WrongError(key, f"{said}, found {shown}") from None
    begins = int(foreign and read.messages[:1] != () and read.messages[0].role == "system")
    messages = tuple(Message(role=one.role, content=one.content.strip()) for one in read.messages[begins:])
    if problem := conversation_problem(messages):
        raise _WrongError("messages", problem)
    return read.model_copy(update={"messages": messages})


def _unknown(scenario: str, spec: Spec) -> str:
    if not scenario:
        return "expected a scenario of the spec, found none"
    if any(scenario in one.items for one in spec.scenarios.values()):
        return f"expected a scenario that is trained on, found {scenario!r}, which is held out"
    near = get_close_matches(scenario, [item for _, item in open_scenarios(spec)], n=1)
    return f"expected a scenario of the spec, found {scenario!r}" + (f"; is it {near[0]!r}?" if near else "")
