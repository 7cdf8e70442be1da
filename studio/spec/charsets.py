"""The characters that one position of a regular expression accepts, compared by samples."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

# One of each kind that the classes tell apart; the pattern's own characters are added.
_SAMPLES = " \t\n_aZ09!é漢Ⅷ\u00a0\U0010fffe"
# What the matcher takes for the same letter beside upper and lower case: s and the long s, for one.
_OTHER_CASES: dict[int, tuple[int, ...]] = importlib.import_module("re._casefix")._EXTRA_CASES
_CLASSES = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}


class CharSet(NamedTuple):
    """An element of a parsed pattern: operator, argument, and the flags that hold for it."""

    operator: str
    argument: Any
    flags: int

    def among(self, letters: Iterable[str]) -> frozenset[str]:
        """Those of ``letters`` that it accepts."""
        return frozenset(letter for letter in letters if self._accepts(letter))

    def _accepts(self, letter: str) -> bool:
        cases = self._cases(letter)
        if self.operator == "LITERAL":
            return chr(self.argument) in cases
        if self.operator == "NOT_LITERAL":
            return chr(self.argument) not in cases
        if self.operator == "ANY":
            return letter != "\n" or bool(self.flags & re.DOTALL)
        if self.operator == "IN":
            negated = any(str(kind) == "NEGATE" for kind, _ in self.argument)
            return any(self._holds(str(kind), value, cases) for kind, value in self.argument) != negated
        return True  # a back-reference: whatever the group held

    def _cases(self, letter: str) -> set[str]:
        """The letters that count as this one."""
        if not self.flags & re.IGNORECASE:
            return {letter}
        if self.flags & re.ASCII:
            return {letter, letter.swapcase()} if letter.isascii() else {letter}
        cases = {letter, letter.lower(), letter.upper()}
        return cases.union(*(map(chr, _OTHER_CASES.get(ord(case), ())) for case in cases if len(case) == 1))

    def _holds(self, kind: str, value: Any, cases: set[str]) -> bool:
        if kind == "LITERAL":
            return chr(value) in cases
        if kind == "RANGE":
            return any(value[0] <= ord(case) <= value[1] for case in cases if len(case) == 1)
        if kind == "CATEGORY":
            name = str(value).removeprefix("CATEGORY_").removeprefix("UNI_")
            wanted = not name.startswith("NOT_")
            expression = _CLASSES.get(name.removeprefix("NOT_"), "")
            alphabet = self.flags & re.ASCII
            return any(bool(re.match(expression, case, alphabet)) == wanted for case in cases) if expression else True
        return False

    def letters(self) -> Iterator[str]:
        """The characters at which acceptance may change."""
        entries = self.argument if self.operator == "IN" else [(self.operator, self.argument)]
        for kind, value in entries:
            if str(kind) in ("LITERAL", "NOT_LITERAL"):
                yield chr(value)
            elif str(kind) == "RANGE":
                yield from map(chr, value)


def alphabet(sets: Iterable[CharSet]) -> frozenset[str]:
    """Samples that tell the sets apart, one of each kind."""
    return frozenset(_SAMPLES) | {letter for characters in sets for letter in characters.letters()}
