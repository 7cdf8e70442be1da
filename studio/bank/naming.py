"""Names and user names of composed people: of where and when somebody was born."""

from __future__ import annotations

import unicodedata
from random import Random

from studio.bank.components import Place, components

_FOLDED = str.maketrans({"ł": "l", "ø": "o", "\u0131": "i", "đ": "d", "æ": "ae", "ß": "ss", "þ": "th"})


def name_of(rng: Random, roots: Place, sex: str, age: int) -> tuple[str, str]:
    """A first name of the place where they grew up and of the time when they were born, and a surname."""
    sex = sex or rng.choice(("women", "men"))
    era = "old" if age > 40 + 16 * rng.random() else "young"
    first = rng.choice(roots.names[sex, era])
    surname = rng.choice(roots.surnames)
    of_men, _, of_women = surname.partition("/")
    return first, of_women if of_women and sex == "women" else of_men


def username_of(rng: Random, first: str, last: str) -> str | None:
    """ASCII, of the name, of words or of both."""
    ascii_first, ascii_last = _folded(first), _folded(last)
    word = rng.choice(components().usernames)
    made = rng.choice(
        (
            f"{ascii_first}_{ascii_last}",
            f"{ascii_first}.{ascii_last[:1]}",
            f"{ascii_first[:1]}{ascii_last}",
            f"{word}_{ascii_first}",
            f"{ascii_first}{word}",
            f"{word}{rng.randint(2, 99)}",
            f"the_{word}_{rng.choice(components().usernames)}",
            f"{ascii_last}{rng.randint(100, 999)}",
        )
    )
    return made if ascii_first and ascii_last else f"{word}{rng.randint(2, 999)}"


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower().translate(_FOLDED))
    return "".join(one for one in plain if one.isascii() and one.isalnum())
