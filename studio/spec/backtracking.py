"""Telling the regular expressions that could run for ever from those that cannot.

Python's matcher backtracks. Its time is exponential where a loop can read the same text along two different paths, as
``(a+)+`` and ``(a|a?b?)*`` can. Such a loop is found in the pattern's position automaton: run two copies of it side by
side on the same characters, and look for a cycle that starts with both in one position, parts them, and joins them
again (Weideman et al., Analyzing Matching Time Behavior of Backtracking Regular Expression Matchers, CIAA 2016).
Polynomial time is not refused; the callers bound the length of the text instead.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from studio.spec.charsets import CharSet, alphabet
from studio.spec.graphs import components

_parser: Any = importlib.import_module("re._parser")
MAX_POSITIONS = 4_000
MAX_STEPS = 2_000
"""Positions in all, and steps between those inside loops, that are examined; a pattern with more is refused."""
_MAX_COPIES = 24
_ALPHABETS = re.ASCII | re.LOCALE | re.UNICODE
"""Flags of which one holds at a time."""
_FEW = 3

Pair = tuple[int, int]


class _TooLargeError(Exception):
    """The pattern has too many positions."""


@lru_cache(maxsize=256)
def may_run_away(pattern: str) -> bool:
    """True where matching ``pattern`` can take time exponential in the text's length.

    Raises re.error for what is no regular expression.
    """
    tree = _parser.parse(pattern)
    automaton = _Automaton(tree.state.flags)
    try:
        automaton.add(tree)
    except _TooLargeError:
        return True
    return any(part.ambiguous() for part in automaton.parts())


@dataclass
class _Piece:
    """A part of a pattern: whether it can be empty, and the positions that it can begin and end with."""

    nullable: bool = True
    first: set[int] = field(default_factory=set)
    last: set[int] = field(default_factory=set)
    forked: bool = False
    """Whether some part of it can be empty in more than one way; in a loop, each round doubles the paths."""


class _Automaton:
    """The position (Glushkov) automaton: one state a character of the pattern."""

    def __init__(self, flags: int) -> None:
        self.flags = flags
        self.sets: list[CharSet] = []
        self.follow: list[set[int]] = []
        self.doubled: set[Pair] = set()
        """Steps that can be taken in two ways; in a cycle each is an ambiguity by itself."""
        self.looped = 0
        """How many loops were met."""
        self.around: list[_Automaton] = []
        """Look-around assertions, which are patterns of their own."""

    def parts(self) -> Iterator[_Automaton]:
        yield self
        for part in self.around:
            yield from part.parts()

    def add(self, tree: Iterable[tuple[Any, Any]]) -> _Piece:
        whole = _Piece()
        for operator, argument in tree:
            whole = self._joined(whole, self._piece(str(operator), argument, operator))
        return whole

    def _piece(self, name: str, argument: Any, operator: Any) -> _Piece:
        if name in ("LITERAL", "NOT_LITERAL", "ANY", "IN", "GROUPREF"):
            return self._position(CharSet(name, argument, self.flags))
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            return self._repeat(*argument)
        if name == "SUBPATTERN":
            return self._scoped(*argument[1:])
        if name == "ATOMIC_GROUP":
            return self.add(argument)
        if name == "BRANCH":
            return self._either(self.add(branch) for branch in argument[1])
        if name == "GROUPREF_EXISTS":
            return self._either(self.add(branch) if branch else _Piece() for branch in argument[1:])
        if name in ("ASSERT", "ASSERT_NOT"):
            inner = _Automaton(self.flags)
            inner.add(argument[1])
            self.around.append(inner)
        return _Piece()

    def _scoped(self, added: int, removed: int, body: Any) -> _Piece:
        """A group, in which flags of its own may hold: ``(?i:...)``, ``(?-s:...)``."""
        outer = self.flags
        kept = outer & ~_ALPHABETS if added & _ALPHABETS else outer
        self.flags = (kept | added) & ~removed
        piece = self.add(body)
        self.flags = outer
        return piece

    def _position(self, characters: CharSet) -> _Piece:
        number = len(self.sets)
        if number >= MAX_POSITIONS:
            raise _TooLargeError
        self.sets.append(characters)
        self.follow.append(set())
        return _Piece(False, {number}, {number})

    def _link(self, sources: set[int], targets: set[int]) -> None:
        for source in sources:
            self.doubled |= {(source, target) for target in targets & self.follow[source]}
            self.follow[source] |= targets

    def _joined(self, left: _Piece, right: _Piece) -> _Piece:
        self._link(left.last, right.first)
        return _Piece(
            left.nullable and right.nullable,
            left.first | (right.first if left.nullable else set()),
            right.last | (left.last if right.nullable else set()),
            left.forked or right.forked,
        )

    @staticmethod
    def _either(branches: Iterable[_Piece]) -> _Piece:
        pieces = list(branches)
        return _Piece(
            any(piece.nullable for piece in pieces),
            set().union(*(piece.first for piece in pieces)),
            set().union(*(piece.last for piece in pieces)),
            any(piece.forked for piece in pieces) or sum(piece.nullable for piece in pieces) > 1,
        )

    def _repeat(self, least: int, most: int, body: Any) -> _Piece:
        """An exact count of something of fixed form is written out; any other may as well be unbounded."""
        looped = self.looped
        piece = self.add(body)
        if least == most <= _MAX_COPIES and not (piece.nullable or piece.forked) and self.looped == looped:
            for _ in range(least - 1):
                piece = self._joined(piece, self.add(body))
            return piece if least else _Piece()
        if most > 1:
            self.looped += 1
            self._link(piece.last, piece.first)
        if (piece.forked and most > 1) or (piece.nullable and least > _FEW):
            self.doubled |= {(source, target) for source in piece.last for target in piece.first}
        forked = piece.forked or (piece.nullable and (least, most) != (1, 1))
        return _Piece(piece.nullable or least == 0, piece.first, piece.last, forked)

    def ambiguous(self) -> bool:
        steps = {number: frozenset(following) for number, following in enumerate(self.follow)}
        component = components(steps)
        looped = [number for number in steps if _on_cycle(number, steps, component)]
        if any(component[source] == component[target] for source, target in self.doubled):
            return True
        if sum(len(self.follow[number]) for number in looped) > MAX_STEPS:
            return True
        pairs = self._pairs(looped, component)
        of_pair = components(pairs)
        joint = {of_pair[pair] for pair in pairs if pair[0] == pair[1]}
        return any(of_pair[pair] in joint for pair in pairs if pair[0] != pair[1])

    def _pairs(self, looped: list[int], component: dict[int, int]) -> dict[Pair, frozenset[Pair]]:
        """Two copies side by side: the steps that both can take on the same character, inside one loop."""
        letters = alphabet(self.sets[number] for number in looped)
        accepts = {number: self.sets[number].among(letters) for number in looped}
        inside = {
            number: [target for target in self.follow[number] if component[target] == component[number]]
            for number in looped
        }
        pairs = [(one, two) for one in looped for two in looped if component[one] == component[two]]
        return {
            (one, two): frozenset(
                (next_one, next_two)
                for next_one in inside[one]
                for next_two in inside[two]
                if accepts[next_one] & accepts[next_two]
            )
            for one, two in pairs
        }


def _on_cycle(number: int, steps: dict[int, frozenset[int]], component: dict[int, int]) -> bool:
    return any(component[target] == component[number] for target in steps[number])
