"""What is there already: every stored conversation, for finding near-duplicates."""

from __future__ import annotations

from datetime import UTC, datetime

from studio.chatml import Messages
from studio.dedup import NearDuplicates
from studio.spec import LoadedSpec
from studio.store import ExampleStore, Judgement, Neighbour, Violation

DUPLICATE = "duplicate"
"""The reason of a rejected near-duplicate."""


class Seen:
    """An index over the user's and the persona's words of all that was ever stored, accepted or not."""

    def __init__(self, store: ExampleStore) -> None:
        self._index = NearDuplicates()
        for row in store.each():
            self._index.add(row.example.id, _text(row.messages))

    def __contains__(self, example_id: object) -> bool:
        """Whether an example is there already."""
        return example_id in self._index

    def meet(self, example_id: str, messages: Messages) -> tuple[Neighbour | None, bool]:
        """The nearest conversation before this one and whether this one repeats it; from now on it is known too."""
        text = _text(messages)
        nearest = self._index.nearest(text)
        self._index.add(example_id, text)
        if nearest is None:
            return None, False
        neighbour = Neighbour(id=nearest[0], similarity=nearest[1])
        return neighbour, neighbour.similarity >= self._index.threshold


def duplicate_judgement(loaded: LoadedSpec, judge: str, neighbour: Neighbour) -> Judgement:
    """A near-duplicate fails by a rule, without a call."""
    return Judgement(
        judge=judge,
        spec_hash=loaded.hash,
        verdict="failed",
        violations=(Violation(kind=DUPLICATE, name=neighbour.id),),
        reasons=(DUPLICATE,),
        at=datetime.now(UTC),
    )


def _text(messages: Messages) -> str:
    return "\n".join(message.content for message in messages)
