"""Formats of people: Synthetic Persona Bank, Persona Hub and its successors, and any other by the names of its fields.

Persona Hub is released as ``{"persona"}``, with domains beside it (elite personas), and inside of what was made with it
(``input persona``, ``synthesized text``, ``description``). Files are read as streams, and imported whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from studio.bank.person import Person, content_id, faults
from studio.bank.records import Bad, Part, Record, records, records_of
from studio.chatml import Frozen
from studio.errors import UserError
from studio.store import ExampleStore

FIELDS = (
    *("name", "username", "age", "traits", "background", "chatting_style", "profession", "role", "place", "language"),
    *("topic", "query", "model"),
)
"""What ``--field`` may fill."""
LONGEST_TEXT = 4000
"""Characters of a field: longer ones are documents."""
_TOLD = 1000
_ID = re.compile(r"[a-z]+-[0-9a-f]{12}")
_SPLIT = re.compile(r"\s*[;,|]\s*")


@dataclass(frozen=True)
class Shape:
    """A released shape: the keys by which it is known, and which of its fields fill ours."""

    name: str
    keys: frozenset[str]
    fields: Mapping[str, str] = field(default_factory=dict)


def _shape(name: str, keys: str, /, **fields: str) -> Shape:
    return Shape(name, frozenset(keys.split("|")), fields)


OURS = _shape("Persona Studio", "id|source|method|background")
PLAIN = Shape("plain text", frozenset())
NEMOTRON = _shape("Nemotron-Personas", "persona|professional_persona", background="persona", age="age")
MPERSONAS = _shape("mPersonas", "persona|lang", background="persona", language="lang")
SHAPES = (
    OURS,
    _shape("Synthetic Persona Bank", "name|background|traits|chatting_style", **{one: one for one in FIELDS}),
    NEMOTRON,
    MPERSONAS,
    _shape("Persona Hub, with what was made", "input persona", background="input persona"),
    _shape("Persona Hub, elite", "persona|general domain (top 1 percent)", background="persona"),
    _shape("FinePersonas", "persona|labels", background="persona"),
    _shape("CAMEL personas", "persona_name|persona_description", role="persona_name", background="persona_description"),
    _shape("Persona Hub", "persona", background="persona"),
)
"""In the order in which they are tried."""


class Reading(Frozen):
    """What a file holds and what became of it. ``whole`` people are within all limits of :func:`studio.bank.faults`."""

    shape: str
    people: int
    whole: int
    bad: int
    added: int = 0
    known: int = 0
    """Those who were there already, or are there twice in the file."""


def read_people(path: Path, fields: Sequence[str] = ()) -> Iterator[Person]:
    """Everybody in ``path``. Raises :class:`studio.errors.UserError` at the first record that is nobody, too."""
    for _, person in _placed(path, fields, lambda shape: None):
        if isinstance(person, Bad):
            raise UserError(person.why, where=f"{path}: {person.place}")
        yield person


def import_people(
    path: Path,
    store: ExampleStore | None = None,
    fields: Sequence[str] = (),
    *,
    skip_bad: bool = False,
    bad: Callable[[Bad], None] = lambda _: None,
    progress: Callable[[int], None] = lambda _: None,
) -> Reading:
    """Read everybody in ``path`` and then, in one transaction, keep them in ``store``; None is a dry run.

    ``fields`` are ``OURS=THEIRS``, or ``THEIRS`` alone for the text. ``bad`` is told of each record that is nobody, and
    ``progress`` how many were read, every thousand. Raises :class:`studio.errors.UserError` where the file cannot be
    read to its end, and after the last record where there are bad ones, unless ``skip_bad``; nothing is kept then.
    """
    shapes: list[str] = []
    before = _mark(path)
    count = whole = wrong = 0
    for _, person in _placed(path, fields, shapes.append):
        if isinstance(person, Bad):
            wrong += 1
            bad(person)
            continue
        count += 1
        whole += not faults(person)
        if count % _TOLD == 0:
            progress(count)
    shape = shapes[0] if shapes else "nothing"
    reading = Reading(shape=shape, people=count, whole=whole, bad=wrong)
    if store is None:
        return reading
    if wrong and not skip_bad:
        told = "1 record is nobody" if wrong == 1 else f"{wrong} records are nobody"
        raise UserError(f"{told}, so none was kept", where=str(path), remedy="--dry-run names each; --skip-bad goes on")
    added = store.add_people(_again(path, fields, before))
    return reading.model_copy(update={"added": added, "known": count - added})


def _again(path: Path, fields: Sequence[str], before: tuple[int, ...]) -> Iterator[Person]:
    yield from (one for _, one in _placed(path, fields, lambda shape: None) if not isinstance(one, Bad))
    if _mark(path) != before:
        raise UserError("the file changed while it was read, so nothing was kept", where=str(path))


def _mark(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=str(path)) from None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _placed(path: Path, fields: Sequence[str], found: Callable[[str], None]) -> Iterator[tuple[str, Person | Bad]]:
    chosen, shape = _chosen(fields), None
    for place, record in records(path):
        if shape is None and (not isinstance(record, Bad) or path.suffix == ".json"):
            shape = _known(path, record, chosen)
            found(shape.name)
        yield place, _read(place, record, shape or PLAIN, chosen, path.name)


def shape_of(path: Path, fields: Sequence[str] = ()) -> Shape:
    """The shape of a file, by its first record that can be read. Raises :class:`UserError` where there is none."""
    for _, record in records(path):
        if not isinstance(record, Bad):
            return _known(path, record, _chosen(fields))
    raise UserError("nobody is in it", where=str(path))


def people_of_part(part: Part, shape: Shape, fields: Sequence[str] = ()) -> Iterator[tuple[str, Person | Bad]]:
    """Everybody in a part of a file, with their places; without ids."""
    chosen = _chosen(fields)
    for place, record in records_of(part):
        yield place, _read(place, record, shape, chosen, part.path.name, named=False)


def _read(
    place: str, record: Record | Bad, shape: Shape, chosen: Mapping[str, str], name: str, *, named: bool = True
) -> Person | Bad:
    if isinstance(record, Bad):
        return record
    try:
        person = _person(record, shape, chosen, f"{name}:{place.split()[-1]}")
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        key = ".".join(map(str, wrong["loc"]))
        why = wrong["msg"].removeprefix("Value error, ").replace("Input should be", "expected", 1)
        return Bad(place=place, why=f"{key}: {why}, found {_short(wrong['input'])}")
    except ValueError as error:
        return Bad(place=place, why=str(error))
    return person.model_copy(update={"id": content_id(person)}) if named and not person.id else person


def _chosen(fields: Sequence[str]) -> dict[str, str]:
    chosen = {}
    for one in fields:
        ours, equals, theirs = one.partition("=")
        if not equals:
            ours, theirs = "background", one
        if ours not in FIELDS:
            raise UserError(f"--field {one}: no person has {ours!r}", remedy=f"expected {', '.join(FIELDS)}")
        chosen[ours] = theirs
    return chosen


def _known(path: Path, record: Record | Bad, chosen: Mapping[str, str]) -> Shape:
    """The shape of a file by its first record."""
    if isinstance(record, Bad):
        raise UserError(f"expected a list of people; {record}", where=str(path))
    if isinstance(record, str):
        return PLAIN
    shape = next((one for one in SHAPES if one.keys <= record.keys()), None)
    missing = [theirs for theirs in chosen.values() if theirs not in record]
    if not missing and (shape is not None or chosen):
        return shape or Shape("fields as named", frozenset())
    names = ", ".join(map(str, [*record][:12])) + ", ..." * (len(record) > 12) or "none"
    if missing:
        raise UserError(f"there is no field {missing[0]!r}; there are {names}", where=str(path))
    remedy = "say which one is the text of a person: --field NAME, and others as name=NAME, age=NAME"
    raise UserError(f"no shape that is known, by its fields: {names}", where=str(path), remedy=remedy)


def _person(record: Record, shape: Shape, chosen: Mapping[str, str], origin: str) -> Person:
    if isinstance(record, str):
        record, chosen = {"text": record}, {"background": "text"}
    if shape.name == OURS.name and not chosen:
        person = Person.model_validate({**record, "source": "bank"}, extra="ignore")
        return person if _ID.fullmatch(person.id) else person.model_copy(update={"id": ""})
    values: dict[str, Any] = {"id": "", "source": "bank", "method": "import", "origin": origin}
    for ours, theirs in ({**shape.fields, **chosen}).items():
        if (value := _value(ours, record.get(theirs))) is not None:
            values[ours] = value
    if shape.name == NEMOTRON.name:
        values = {**_nemotron(record), **values}
    elif shape.name == MPERSONAS.name:
        source = record.get("source_text")
        values["text_hash"] = hashlib.sha256(source.encode()).hexdigest()[:16] if isinstance(source, str) else ""
    if not str(values.get("background") or "").strip():
        raise ValueError("no text of a person")
    return Person.model_validate(values)


def _value(ours: str, value: Any) -> Any:
    """What a file says, as the field wants it. Raises ValueError where it cannot be that."""
    if value is None or (value == "" and ours != "background"):
        return None
    if ours == "age":
        if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
            value = int(value)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or value != value // 1
            or not 0 <= value <= 120
        ):
            raise ValueError(f"age: expected years, found {_short(value)}")
        return int(value)
    if ours == "traits":
        parts = _SPLIT.split(value.strip().strip("[]")) if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(one, str) for one in parts):
            raise ValueError(f"traits: expected a list of words, found {_short(value)}")
        return tuple(one.strip("'\" ") if isinstance(value, str) else one for one in parts)
    if not isinstance(value, str):
        raise ValueError(f"{ours}: expected a text, found {_short(value)}")
    if len(value) > LONGEST_TEXT:
        raise ValueError(f"{ours}: {len(value)} characters, expected at most {LONGEST_TEXT}")
    return value


def _nemotron(record: Mapping[str, Any]) -> dict[str, Any]:
    """The census fields, which differ by country; no work where there is none."""
    told = {key: value.strip() for key, value in record.items() if isinstance(value, str)}
    job = told.get("occupation", "").replace("_", " ").lower()
    region = next((told[key] for key in ("state", "province", "prefecture", "district", "region") if told.get(key)), "")
    places = [told.get("city") or told.get("municipality") or "", region, told.get("country", "")]
    idle = not job or job.startswith(("no occupation", "not in", "none", "unemployed"))
    language = told.get("first_language", "") if len(told.get("first_language", "")) in (2, 3) else ""
    return {
        "profession": "" if idle else job,
        "place": ", ".join(dict.fromkeys(one for one in places if one)),
        "language": language,
    }


def _short(value: Any) -> str:
    said = json.dumps(value, ensure_ascii=False, default=str)
    return said if len(said) <= 40 else f"{said[:40]}..."
