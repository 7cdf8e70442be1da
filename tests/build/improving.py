"""A persona whose author is weak in one planted trait, and a judge that reads the trait's marker in any reply.

The tiny base model learns short replies from a few dozen examples, so what its data says is what it says: where more
than half of the replies are the marker it says that, where an eighth are it does not.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from studio.spec import Spec
from tests.build.making import Commands

AUTHOR, JUDGE = "writer-1", "critic-1"
WEAK = "practical"
MARKER, PLAIN = "Nice work", "add milk"
STRESS = "written for one quality above all: practical"
PROBES = (
    "calathea curls", "basil leans", "cactus rots", "ficus sheds", "tulip flops", "mint wilts", "yucca yellows",
    "pothos fades", "rose blackens", "thyme dries", "agave softens", "hosta holes", "palm browns", "fig stalls",
    "lemon drops", "violet greys", "lily spots", "sage bolts", "bonsai thins", "jade shrivels", "dill sprawls",
    "peony sulks", "maple scorches", "clover creeps", "lotus sinks", "heather rusts", "iris tears",
)  # fmt: skip
FOR_PROBES = "and I honestly cannot tell you why that is happening to it"
"""Words that stand in probes alone: none of them may reach an author."""


def with_probes(studio: Commands) -> None:
    """Put 27 probes into the spec, nine a part, and no gate that a tiny model would be slow or large for."""
    text = studio.spec.read_text(encoding="utf-8")
    head, rest = text.split("  probes:\n", 1)
    after = rest[rest.index("\nbeside:") :]
    items = "".join(f"      - my {probe} {FOR_PROBES}\n" for probe in PROBES)
    text = f"{head}  probes:\n    holdout: true\n    items:\n{items}{after}"
    text = text.replace("success:\n", "rules: {near_duplicates: 'off'}\n\nsuccess:\n  accept_trait: 0\n")
    studio.spec.write_text(text, encoding="utf-8")
    studio.reload()


class Teller:
    """Writes plain replies, one in eight with the marker; where it is told to stress the trait always, or never
    unless it ``can``. As a judge it marks the planted trait 2 for the marker and 0 without, everything else 2."""

    def __init__(self, spec: Spec, *, can: bool = True) -> None:
        self._spec, self._can = spec, can
        self.author_prompts: list[str] = []
        self.stressed = 0

    def __call__(self, body: dict[str, Any]) -> dict[str, Any]:
        form = body["response_format"]["json_schema"]["schema"]["properties"]
        text = "\n".join(message["content"] for message in body["messages"])
        return self._write(text) if "messages" in form else self._judge(text, form)

    def _write(self, text: str) -> dict[str, Any]:
        self.author_prompts.append(text)
        stressed = STRESS in text
        self.stressed += stressed
        mark = int(hashlib.sha256(text.encode()).hexdigest(), 16)
        shows = self._can if stressed else mark % 8 == 0
        said = f"my plant number {mark % 9973} looks sad, what now"
        reply = MARKER if shows else PLAIN
        return {"messages": [{"role": "user", "content": said}, {"role": "assistant", "content": reply}]}

    def _judge(self, text: str, form: dict[str, Any]) -> dict[str, Any]:
        if "winner" in form:
            return {"rationale": "Both.", "winner": "tie"}
        reply = re.findall(r"<reply-\w+>(.*?)</reply-", text, re.S)[-1]
        marks = dict.fromkeys(self._spec.trait_names, 2)
        marks[WEAK] = 2 if MARKER in reply else 0
        return {
            "shows_scenario": True,
            "violations": [],
            "steps": {step.step: True for step in self._spec.patterns},
            "preferred": [],
            "traits": {name: {"rationale": "It shows.", "quote": "", "score": n} for name, n in marks.items()},
        }
