"""People for tests, each unlike the others; and an embedder that costs nothing."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from studio.bank.person import Person
from studio.text.words import words_of

JOBS = "midwife welder baker notary diver tailor surveyor optician ranger cellist farrier typist".split()
PLACES = "Leeds Porto Oslo Accra Lima Pune Cork Turin Busan Tunis Graz Quito".split()
DEEDS = (
    "keeps bees behind the harbour,repairs old radios at night,sings in a choir of forty,swims before dawn,"
    "restores a wooden boat,teaches chess to children,grows chillies on a balcony,writes letters to the council,"
    "collects railway maps,trains for a long march,looks after two uncles,paints signs for shops"
).split(",")
FEARS = (
    "dreads telephones,forgets every password,saves for a van,has just moved house,lost a bet last week,"
    "is allergic to dust,owes a neighbour money,waits for a verdict,sleeps badly,cannot drive,"
    "learns Welsh,misses the sea"
).split(",")
TRAITS = "blunt patient wry anxious proud thrifty curious stubborn gentle vain loyal restless".split()
STYLES = (
    "all lower case and no full stops,long polite sentences,one question after another,voice notes turned into text,"
    "emoji in every line,quotes films,short angry bursts,apologises first,lists with dashes,rambles and comes back,"
    "dry jokes,technical terms"
).split(",")
SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo za".split()


def person(number: int, **changes: Any) -> Person:
    """The same one for the same number; words and meaning of any two are apart."""
    rng = random.Random(number)

    def word(parts: int) -> str:
        return "".join(rng.choices(SYLLABLES, k=parts))

    name = f"{word(3).title()} {word(4).title()}"
    made = {
        "id": f"p{number}",
        "source": "bank",
        "name": name,
        "age": rng.randint(19, 75),
        "traits": tuple(rng.sample(TRAITS, 3)),
        "profession": rng.choice(JOBS),
        "place": rng.choice(PLACES),
        "background": f"{word(3).title()} {rng.choice(DEEDS)} near {word(4)} and {rng.choice(FEARS)} since {word(3)}.",
        "chatting_style": f"{rng.choice(STYLES)}, says {word(2)}",
    }
    return Person.model_validate(made | changes)


class WordVectors:
    """A vector a text, from a hash of each of its words: texts with the same words are near, all others far apart."""

    version = "words"

    def embed(self, texts: Sequence[str]) -> Any:
        rows = np.zeros((len(texts), 384), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in words_of(text):
                digest = hashlib.sha256(word.encode()).digest()
                for place in range(0, 8, 2):
                    row[int.from_bytes(digest[place : place + 2], "big") % 384] += 1 if digest[place + 8] % 2 else -1
            row /= max(float(np.linalg.norm(row)), 1e-9)
        return rows


def answer(body: dict[str, Any]) -> dict[str, Any]:
    """What a model behind a server writes: somebody of their own for each prompt and seed, the given age kept."""
    said = body["messages"][1]["content"]
    digest = hashlib.sha256(f"{said} {body.get('seed')}".encode()).digest()
    made = person(int.from_bytes(digest[:4], "big"))
    fields = "name username age traits background chatting_style profession place".split()
    found = {name: value for name, value in made.model_dump(mode="json").items() if name in fields}
    if given_age := re.search(r"^- Age: (\d+)$", said, re.MULTILINE):
        found["age"] = int(given_age[1])
    return found | {"query": f"How do I get {made.background.split()[-1]} sorted today?"}
