"""A conversation between two people as the workspace keeps it, and the draw that it came from."""

from __future__ import annotations

from studio.bank.talk.relations import Medium
from studio.bank.talk.scene import Scene, Subject
from studio.bank.talk.transcript import Ended, Fault, Turn
from studio.inference import Record

KIND = "talk"
"""Under which documents are kept; draws under ``talk drawn``."""


class Draw(Record):
    """Who talks with whom and how, kept before anything is asked: a bank that grows changes no draw."""

    number: int
    seed: int
    kind: str
    first: str
    """Ids of people."""
    second: str
    familiarity: str
    emotion: str
    formality: str
    medium: Medium
    not_like: tuple[str, ...] = ()
    """Topics shown as not to come again."""


class Talk(Record):
    """A conversation. The first person begins; the turns are theirs and the second's in turn."""

    scene: Scene
    subject: Subject
    turns: tuple[Turn, ...]
    ended: Ended
    fault: Fault = ""
    model: str
    one_call: bool = False
    seed: int = 0

    @property
    def title(self) -> str:
        return f"{self.scene.first.name} and {self.scene.second.name}, {self.scene.kind}: {self.subject.topic}"

    @property
    def page(self) -> dict[str, str]:
        scene, names = self.scene, {"first": self.scene.first.name, "second": self.scene.second.name}
        return {
            "People": f"{scene.first.name} ({scene.first.age}) and {scene.second.name} ({scene.second.age})",
            "Relation": f"{scene.kind}; {scene.familiarity}; {scene.formality}; {scene.medium}",
            f"{scene.first.name} is": scene.emotion,
            "Topic": self.subject.topic,
            "Situation": self.subject.situation,
            f"{scene.first.name} wants": self.subject.first_wants,
            f"{scene.second.name} wants ": self.subject.second_wants,
            "Conversation": "\n".join(f"{names[turn.side]}: {turn.text}" for turn in self.turns),
            "Ended": f"{self.ended}, {len(self.turns)} turns" + (f", {self.fault}" if self.fault else ""),
            "Model": self.model,
        }
