"""Pairs of English words that cannot stand next to each other: what word salad is full of, and prose is not.

Only closed classes of words and a few verbs that are never nouns; where grammar allows an exception the pair is left
out, because a good reply that is called broken does more harm than a broken one that is missed.
"""

from __future__ import annotations

import re
from itertools import pairwise

_ARTICLES = "a an the".split()
_DETERMINERS = "a an the my your our its their".split()
_NOT_NOUNS = (
    "of for with at from to is was were am be has have had shall should would could i you he she we they "
    "me us them it and or but because if let's a an the my your our their these those which who whom"
).split()
_VERBS = (
    "add become begin bring choose forget give keep let make put remind remove send tell think understand write"
).split()
_NOT_BARE = "is are was were am has had".split()
_MODALS = "shall should would could can will must may might".split()
_OBJECTS = "i he she we they".split()
_DANGLING = frozenset("a an the my your our their and or but because shall".split())

_PAIRS = frozenset(
    [(first, second) for first in _DETERMINERS for second in _NOT_NOUNS]
    + [(first, second) for first in _DETERMINERS for second in _VERBS if first not in ("your", "its", "their")]
    + [("to", second) for second in (*_NOT_BARE, *_MODALS, "to", "and")]
    + [(first, second) for first in _MODALS for second in (*_NOT_BARE, *_MODALS, "to", "of", "and", "or")]
    + [(first, "shall") for first in "of for with at from the a an be and's".split()]
    + [(first, second) for first in ("be", "being") for second in (*_VERBS, *_MODALS, *_OBJECTS, "is", "are", "be")]
    + [("being", second) for second in "win start work plan move help try need find do go get".split()]
    + [("let's", second) for second in (*_ARTICLES, *_NOT_BARE, *_OBJECTS, "next", "of", "for", "with", "and", "to")]
    + [("i", "is"), ("i", "are"), ("we", "is"), ("we", "am"), ("they", "is"), ("they", "am"), ("you", "is")]
    + [("you", "am"), ("he", "are"), ("she", "are"), ("it", "are"), ("it", "am")]
    + [("and", "and"), ("or", "or"), ("of", "of"), ("is", "are"), ("are", "is"), ("please", "let's")]
)
_TRIPLES = frozenset([("be", "more", "win"), ("be", "more", "start"), ("is", "a", "and")])
_TOKEN = re.compile(r"[^\W_]+(?:['-][^\W_]+)*|[^\w\s]")
_QUESTION_WORDS = frozenset("what which who whom whose where how when why".split())


def broken_joints(sentence: str) -> list[str]:
    """The impossible pairs in one folded sentence, and a word that it cannot end with. Quotes are left out."""
    tokens = _TOKEN.findall(re.sub(r"(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"", " , ", sentence))
    words = [token if _is_name(token) else token.lower() for token in tokens]
    found = [f"{first} {second}" for first, second in pairwise(words) if (first, second) in _PAIRS]
    found += [" ".join(words[at : at + 3]) for at in range(len(words) - 2) if tuple(words[at : at + 3]) in _TRIPLES]
    spoken = [word for word in words if word[0].isalnum()]
    if spoken and (spoken[-1] in _DANGLING or _stranded(spoken)):
        found.append(f"{spoken[-1]} at the end")
    return found


def _is_name(token: str) -> bool:
    """``plan A``, ``the US``, ``to May 20th``, ``ask Will``: a capital takes a word out of its class."""
    return (token.isupper() and token != "I") or token in ("May", "Will", "Can")


def _stranded(words: list[str]) -> bool:
    """``Shall we start with?``: a preposition at the end of a question that asks for nothing."""
    asks = words[0] in _MODALS and words[1:2] in (["we"], ["i"])
    return asks and words[-1] in ("with", "for", "from", "of") and not _QUESTION_WORDS & set(words)
