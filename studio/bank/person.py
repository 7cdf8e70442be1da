"""A person: the limits of a whole one, the text that an author is told, ids, and Synthetic Persona Bank's shape.

The record itself is the store's, which keeps it. Synthetic Persona Bank (SPB) is marcodsn/SPB-2508 on the Hugging Face
hub: a JSON list of ``name, username | null, age, traits, background, chatting_style, model``.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from studio.store.records import Person

__all__ = [
    "BACKGROUND",
    "OLDEST",
    "STYLE",
    "TRAITS",
    "YOUNGEST",
    "Person",
    "content_id",
    "faults",
    "person_id",
    "person_text",
    "sentences",
    "to_spb",
]

YOUNGEST, OLDEST = 19, 75
"""Years, both included."""
TRAITS = (3, 5)
"""The least and the most traits."""
BACKGROUND, STYLE = 300, 120
"""The most characters of a background of one or two sentences, and of a chatting style."""
SPB_FIELDS = ("name", "username", "age", "traits", "background", "chatting_style")
_END = re.compile(r"(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bSt)(?<!\bMrs)[.!?…]+[\"')\]]*(?=\s+[^\sa-z]|\s*$)|[。！？]")  # noqa: RUF001


def faults(person: Person) -> tuple[str, ...]:
    """What keeps somebody from being a whole person, each in a few words; empty for a whole one.

    A whole person has a name, an age of 19 to 75, 3 to 5 traits, a background of one or two sentences and at most 300
    characters, and a chatting style of at most 120. All else may be missing.
    """
    found = []
    if not person.name.strip():
        found.append("no name")
    if person.age is None:
        found.append("no age")
    elif not YOUNGEST <= person.age <= OLDEST:
        found.append(f"age {person.age}, expected {YOUNGEST} to {OLDEST}")
    if not TRAITS[0] <= len(person.traits) <= TRAITS[1]:
        found.append(f"{len(person.traits)} traits, expected {TRAITS[0]} to {TRAITS[1]}")
    if len({trait.strip().lower() for trait in person.traits} - {""}) != len(person.traits):
        found.append("a trait that is empty or there twice")
    if not person.background.strip():
        found.append("no background")
    elif len(person.background) > BACKGROUND:
        found.append(f"background of {len(person.background)} characters, expected at most {BACKGROUND}")
    elif (count := sentences(person.background)) > 2:
        found.append(f"background of {count} sentences, expected one or two")
    if not person.chatting_style.strip():
        found.append("no chatting style")
    elif len(person.chatting_style) > STYLE:
        found.append(f"chatting style of {len(person.chatting_style)} characters, expected at most {STYLE}")
    return tuple(found)


def sentences(text: str) -> int:
    """How many sentences a short text has; words after the last full stop are one."""
    ends = [found.end() for found in _END.finditer(text)]
    return len(ends) + bool(text[ends[-1] if ends else 0 :].strip())


def person_text(person: Person) -> str:
    """Somebody in a few sentences, as an author is told who is asking: all that is known of them."""
    age = "" if person.age is None else f"{person.age} years old"
    work = () if person.profession and person.profession.lower() == person.role.lower() else (person.profession,)
    who = ", ".join(part for part in (person.name, age, person.role, *work) if part) or "Somebody"
    told = [who]
    for label, value in (
        ("Lives in", person.place),
        ("First language", person.language if person.language.split("-")[0] != "en" else ""),
        ("Here about", person.topic),
        ("Background", person.background),
        ("Is", ", ".join(person.traits)),
        ("Writes like this", person.chatting_style),
        ("Asks such things as", person.query),
    ):
        if value:
            told.append(f"{label}{'' if label == 'Lives in' else ':'} {value}")
    return " ".join(one if one.endswith((".", "?", "!", "…")) else f"{one}." for one in told)


def person_id(source: str, *parts: str) -> str:
    """An id that is the same wherever the same person is made again."""
    return f"{source}-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:12]}"


def content_id(person: Person) -> str:
    """The id of somebody by all that is said of them, whatever they came from: the same text is the same person."""
    said = [person.name, person.username or "", person.age, person.traits, person.background, person.chatting_style]
    said += [person.profession, person.role, person.place, person.language, person.topic, person.query]
    return person_id(person.source, json.dumps(said, ensure_ascii=False))


def to_spb(person: Person) -> dict[str, Any]:
    """Somebody in SPB's shape; ``model`` is there where a model wrote them."""
    found = person.model_dump(mode="json", include=set(SPB_FIELDS))
    record = {name: found[name] for name in SPB_FIELDS}
    return record | ({"model": person.model} if person.model else {})
