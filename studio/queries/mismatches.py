"""The report of an asking: mismatches of answers with what is expected, by topic, by user type and by item.

Where a side's answers were not judged they count for nothing. Rates are of judged answers, with Wilson's interval.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from studio.chatml import Frozen
from studio.queries.rates import Rate, by_group, wilson
from studio.queries.types import Answered, Asking, Verdict
from studio.text.inert import inert_line

SHOWN = 20
"""Mismatches that the Markdown file quotes."""
_ESCAPED = str.maketrans({one: f"\\{one}" for one in "\\`*_{}[]<>#|!~"})


class ItemCount(Frozen):
    """One expected item over the answers of a side."""

    topic: str
    expected: str
    counts: dict[Verdict, int]

    @property
    def missed(self) -> Rate:
        """Of the answers to whose matter it applies."""
        missed = self.counts.get("not met", 0) + self.counts.get("contradicted", 0)
        return wilson(missed, missed + self.counts.get("met", 0), self.expected)


class SideReport(Frozen):
    """One chatbot, or one side of a run."""

    side: str
    chatbot: str
    answers: int
    judged: int
    mismatched: Rate
    """Answers with at least one expected item missing or contradicted."""
    contradicted: Rate
    """Answers that contradict at least one."""
    topics: tuple[Rate, ...]
    user_types: tuple[Rate, ...]
    items: tuple[ItemCount, ...]
    unquoted: int
    """Marks whose quote stands in no answer: how careless the judge was."""
    ends: dict[str, int] = {}
    """Of conversations of several turns."""
    mean_turns: float = 1.0
    simulated: int = 0
    """Turns that the simulated user wrote."""
    faults: dict[str, int] = {}
    """Of the simulated user, not of the chatbot."""


class AskReport(Frozen):
    name: str
    judge: str
    run_id: str = ""
    turns: int
    sides: tuple[SideReport, ...]
    upheld: Rate
    """Of the mismatches that a person decided on in triage, those that they corrected or rejected; one that they
    accepted as it was is the judge's mistake."""


def ask_report(asking: Asking, answers: Sequence[Answered], upheld: Rate | None = None) -> AskReport:
    """``upheld`` as :func:`studio.queries.review.upheld` has it."""
    sides = sorted({answer.side for answer in answers})
    return AskReport(
        name=asking.id,
        judge=asking.judge,
        run_id=asking.run_id,
        turns=asking.turns,
        sides=tuple(_side(side, [one for one in answers if one.side == side], asking.turns) for side in sides),
        upheld=upheld or wilson(0, 0),
    )


def _side(side: str, answers: Sequence[Answered], turns: int) -> SideReport:
    judged = [one for one in answers if one.judged]
    missed = {one.id: bool(one.mismatches) for one in judged}
    wrong = sum(any(mark.verdict == "contradicted" for mark in one.marks) for one in judged)
    counts: dict[tuple[str, str], Counter[Verdict]] = {}
    for one in judged:
        for mark in one.marks:
            counts.setdefault((one.topic, mark.expected), Counter())[mark.verdict] += 1
    items = [ItemCount(topic=topic, expected=item, counts=dict(found)) for (topic, item), found in counts.items()]
    faults: Counter[str] = Counter()
    for one in answers:
        faults.update(one.faults)
    customer = [sum(turn.role == "user" for turn in one.messages) for one in answers]
    return SideReport(
        side=side,
        chatbot=answers[0].chatbot,
        answers=len(answers),
        judged=len(judged),
        mismatched=wilson(sum(missed.values()), len(judged)),
        contradicted=wilson(wrong, len(judged)),
        topics=by_group((one.topic, missed[one.id]) for one in judged),
        user_types=by_group((one.user_type, missed[one.id]) for one in judged if one.user_type),
        items=tuple(sorted(items, key=lambda one: (-one.missed.share, -one.missed.n, one.topic, one.expected))),
        unquoted=sum(not mark.quoted for one in judged for mark in one.marks),
        ends=dict(Counter(one.end for one in answers)) if turns > 1 else {},
        mean_turns=sum(customer) / len(customer),
        simulated=sum(one.written for one in answers),
        faults=dict(faults.most_common()),
    )


def judge_line(report: AskReport) -> str:
    """Who judged, and how far people agree."""
    if not report.judge:
        return "judge: nobody"
    looked = f"people upheld {report.upheld.text} of its mismatches" if report.upheld.n else "no mismatch was looked at"
    return f"judge: {report.judge}; {looked} in triage"


def lines_of(side: SideReport) -> list[str]:
    """What to say of a side beside its tables."""
    told = [
        f"{side.answers} answers of {side.chatbot}{f' ({side.side})' if side.side else ''}, {side.judged} judged",
        f"mismatched: {side.mismatched.text}; contradicted: {side.contradicted.text}",
    ]
    if side.unquoted:
        told.append(f"{side.unquoted} quotes of the judge stand in no answer")
    if side.ends:
        ends = ", ".join(f"{name} {count}" for name, count in sorted(side.ends.items(), key=lambda one: -one[1]))
        told.append(f"conversations: {side.mean_turns:.1f} turns of the customer on average; ended: {ends}")
        faults = ", ".join(f"{name} {count}" for name, count in side.faults.items()) or "none found"
        told.append(f"faults of the simulated customer in {side.simulated} turns of its own: {faults}")
    return told


def markdown(report: AskReport, answers: Sequence[Answered]) -> str:
    """The report as a page, with the first mismatches of each side in full. Text of models is inert and escaped."""
    intro = f"{_plain(judge_line(report))}. Rates are of judged answers, with Wilson's 95 % interval."
    parts = [f"# Answers of {_plain(report.name)}", intro]
    for side in report.sides:
        parts += [
            f"## {_plain(f'{side.chatbot} {side.side}'.strip())}",
            "\n".join(f"- {_plain(one)}" for one in lines_of(side)),
        ]
        for title, rates in (("topic", side.topics), ("user type", side.user_types)):
            if rates:
                rows = [f"| {_plain(one.name)} | {one.text} |" for one in rates]
                parts.append("\n".join([f"| {title} | mismatched |", "| --- | --- |", *rows]))
        if side.items:
            names: tuple[Verdict, ...] = ("met", "not met", "contradicted", "not applicable")
            rows = [
                f"| {_plain(one.expected)} | {' | '.join(str(one.counts.get(name, 0)) for name in names)} |"
                for one in side.items
            ]
            head = f"| expected | {' | '.join(names)} |"
            parts.append("\n".join([head, "| --- |" + " --- |" * len(names), *rows]))
        parts += [_quoted(one) for one in answers if one.side == side.side and one.mismatches][:SHOWN]
    return "\n\n".join(parts) + "\n"


def _quoted(answer: Answered) -> str:
    who = {"user": "customer", "assistant": "chatbot"}
    told = [f"### {_plain(answer.topic)}: {_plain(answer.user_type or 'a customer')}"]
    told += [f"> **{who[one.role]}**: {_plain(one.content)}" for one in answer.messages]
    for mark in answer.mismatches:
        quote = f' "{_plain(mark.quote)}"' if mark.quote else ""
        told.append(f"- {mark.verdict}: {_plain(mark.expected)}.{quote} {_plain(mark.reason)}")
    return "\n\n".join(told)


def _plain(text: str) -> str:
    return inert_line(text).translate(_ESCAPED)
