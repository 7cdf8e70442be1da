"""Preferences: what decisions and votes say of replies, as pairs (DPO) and as desirable or not (KTO).

- accepted: a desirable reply, which SFT trains on.
- edited: a pair, the edited message over the one that was written, after the same turns. Where the user's words were
  edited too, the two answer different requests and are no pair.
- rejected: an undesirable reply, unless it was for what another says (a duplicate, a held-out message) or for the
  user's side.
- two replies to one request, one accepted and one rejected: a pair.
- a vote in a chat: a pair where both sides were told the same, else a desirable and an undesirable reply; both bad are
  two undesirable ones. A tie teaches nothing: it says that neither is better, not that both are good.

Votes on a run's probes (:class:`studio.store.PairVote`) are what it is measured by and are never read here; whatever
says a held-out message is left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from studio.chatml import Frozen, Messages, assistant, digest
from studio.dataset.read import Sieve
from studio.spec import LoadedSpec, held_out_texts
from studio.store import ChatVote, Filter, Text, Workspace

MINIMUM = 50
"""Pairs for DPO, and replies of each kind for KTO, below which nothing is trained."""
Kind = Literal["accepted", "pair", "desirable", "undesirable"]
Source = Literal["accepted", "edited", "rejected", "two replies", "vote"]
NO_FAULT_OF_THE_REPLY = frozenset({"duplicate", "held_out", "user", "user_text"})
"""Why examples are rejected that may hold a good reply: the judge's reasons (without what follows a colon), and the
person's."""
_VOTES = "votes"


class Signal(Frozen):
    """One thing that can be learned. Of a pair both replies are there, of the others one."""

    kind: Kind
    source: Source
    by: Literal["person", "judge"]
    """Who decided; of a pair of two replies the judge, where one of the two is its word alone."""
    origins: tuple[str, ...]
    """Ids of the examples or of the vote."""
    prompt: Messages
    """All turns before the reply."""
    chosen: str = ""
    rejected: str = ""


class Preference(Frozen):
    """A reply for KTO: ``label`` is whether it is desirable."""

    prompt: Messages
    completion: str
    label: bool
    origins: tuple[str, ...]


class Preferences(Frozen):
    """All signals, each once, in an order that follows from their content."""

    signals: tuple[Signal, ...]
    left_out: dict[str, int]
    """Decisions that teach nothing, by why."""

    @property
    def counts(self) -> dict[str, int]:
        """Signals by source and kind, as ``vote: pair``; where both are the same, one word."""
        named = (one.source if one.source == one.kind else f"{one.source}: {one.kind}" for one in self.signals)
        return dict(sorted(Counter(named).items()))

    @property
    def pairs(self) -> tuple[Signal, ...]:
        return tuple(one for one in self.signals if one.kind == "pair")

    @property
    def labelled(self) -> tuple[Preference, ...]:
        """Each reply once, for KTO; one that is called both desirable and undesirable is left out."""
        found: dict[str, Preference] = {}
        contradicted: set[str] = set()
        for one in _labelled(self.signals):
            key = digest((*one.prompt, assistant(one.completion)))
            there = found.setdefault(key, one)
            if there.label != one.label:
                contradicted.add(key)
        return tuple(one for key, one in found.items() if key not in contradicted)

    @property
    def missing_for_dpo(self) -> int:
        """Pairs that are missing for :data:`MINIMUM`."""
        return max(0, MINIMUM - len(self.pairs))

    @property
    def missing_for_kto(self) -> dict[str, int]:
        """Replies that are missing for :data:`MINIMUM` of each kind."""
        labels = Counter(one.label for one in self.labelled)
        names = {"desirable": True, "undesirable": False}
        return {name: max(0, MINIMUM - labels[label]) for name, label in names.items()}


def preferences(workspace: Workspace, loaded: LoadedSpec, *, people_only: bool = False) -> Preferences:
    """Read every signal there is of this spec's examples, and of all chats. Only reads.

    With ``people_only`` the judge's word alone is none: what nobody decided on teaches nothing.
    """
    reader = _Reader(loaded)
    signals = [*reader.examples(workspace, people_only), *reader.votes(workspace)]
    unique: dict[str, Signal] = {}
    for one in sorted(signals, key=lambda one: (one.kind, one.by == "judge", one.source, one.origins)):
        unique.setdefault(_key(one.kind, one.prompt, one.chosen, one.rejected), one)
    reader.left_out["said twice"] += len(signals) - len(unique)
    pairs = {key: one for key, one in unique.items() if one.kind == "pair"}
    both = {key for key, one in pairs.items() if _key("pair", one.prompt, one.rejected, one.chosen) in pairs}
    reader.left_out["contradicted"] += len(both)
    kept = tuple(one for key, one in unique.items() if key not in both)
    return Preferences(signals=kept, left_out={why: count for why, count in sorted(reader.left_out.items()) if count})


class _Reader:
    def __init__(self, loaded: LoadedSpec) -> None:
        self._loaded = loaded
        self._sieve = Sieve(held_out_texts(loaded.spec))
        self.left_out: Counter[str] = Counter()

    def examples(self, workspace: Workspace, people_only: bool) -> Iterator[Signal]:
        asked: defaultdict[str, tuple[list[Text], list[Text]]] = defaultdict(lambda: ([], []))
        for text in workspace.examples.texts(Filter(spec_hash=self._loaded.hash)):
            if text.status == "pending" or (people_only and text.decision is None):
                continue
            if not self._usable(text.messages):
                continue
            prompt, reply = text.messages[:-1], text.messages[-1].content
            told = {"origins": (text.id,), "by": _by(text), "prompt": prompt}
            if text.status == "accepted":
                yield Signal(kind="accepted", source="accepted", chosen=reply, **told)
                if text.decision == "edit":
                    yield from self._edited(text)
            elif any(why.partition(":")[0] in NO_FAULT_OF_THE_REPLY for why in text.reasons):
                self.left_out["rejected for no fault of the reply"] += 1
                continue
            else:
                yield Signal(kind="undesirable", source="rejected", rejected=reply, **told)
            asked[digest(prompt)][text.status == "rejected"].append(text)
        for good, bad in asked.values():
            for number, worse in enumerate(bad if good else ()):
                yield _two_replies(good[number % len(good)], worse)

    def _edited(self, text: Text) -> Iterator[Signal]:
        """The first message that an edit changed: a pair where it is the assistant's."""
        both = list(zip(text.messages, text.original, strict=False))
        at = next((number for number, (new, old) in enumerate(both) if new != old), len(both))
        if at == len(both) or both[at][0].role != "assistant" or both[at][1].role != "assistant":
            self.left_out["edited the user's words" if at < len(both) else "edited by adding or removing turns"] += 1
            return
        new, old = (one.content for one in both[at])
        if new.strip() == old.strip():
            self.left_out["edited white space alone"] += 1
        elif self._usable(text.original[: at + 1]):
            prompt = text.messages[:at]
            yield Signal(
                kind="pair", source="edited", by="person", origins=(text.id,), prompt=prompt, chosen=new, rejected=old
            )

    def votes(self, workspace: Workspace) -> Iterator[Signal]:
        for vote in workspace.documents.readable(_VOTES, ChatVote):
            told = {"source": "vote", "by": "person", "origins": (vote.id,)}
            if not (self._usable(vote.base_messages) and self._usable(vote.tuned_messages)):
                continue
            sides = {"base": vote.base_messages, "tuned": vote.tuned_messages}
            if vote.choice == "tie" or vote.base_messages == vote.tuned_messages:
                self.left_out["vote: tie"] += 1
            elif vote.choice == "bad":
                for messages in sides.values():
                    yield _unpaired("undesirable", messages, **told)
            else:
                better, worse = sides.pop(vote.choice), *sides.values()
                if better[:-1] == worse[:-1]:
                    replies = {"chosen": better[-1].content, "rejected": worse[-1].content}
                    yield Signal.model_validate({"kind": "pair", "prompt": better[:-1], **replies, **told})
                else:
                    yield _unpaired("desirable", better, **told)
                    yield _unpaired("undesirable", worse, **told)

    def _usable(self, messages: Messages) -> bool:
        before = self._sieve.unusable
        usable = self._sieve.usable(messages)
        if not usable:
            self.left_out["unusable text" if self._sieve.unusable > before else "says a held-out message"] += 1
        return usable


def _by(text: Text) -> Literal["person", "judge"]:
    return "judge" if text.decision is None else "person"


def _two_replies(better: Text, worse: Text) -> Signal:
    return Signal(
        kind="pair",
        source="two replies",
        by="person" if _by(better) == _by(worse) == "person" else "judge",
        origins=(better.id, worse.id),
        prompt=better.messages[:-1],
        chosen=better.messages[-1].content,
        rejected=worse.messages[-1].content,
    )


def _unpaired(kind: Kind, messages: Messages, **told: object) -> Signal:
    reply = "chosen" if kind == "desirable" else "rejected"
    return Signal.model_validate({"kind": kind, "prompt": messages[:-1], reply: messages[-1].content, **told})


def _labelled(signals: Sequence[Signal]) -> Iterable[Preference]:
    for one in signals:
        for reply, label in ((one.chosen, True), (one.rejected, False)):
            if reply:
                yield Preference(prompt=one.prompt, completion=reply, label=label, origins=one.origins)


def _key(kind: Kind, prompt: Messages, chosen: str, rejected: str) -> str:
    return f"{kind} {digest((*prompt, assistant(chosen), assistant(rejected)))}"
