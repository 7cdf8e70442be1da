"""Asking for the list: the one exchange whose answer depends on what was said before."""

from __future__ import annotations

from collections.abc import Sequence

from studio.train.pocket import words
from studio.train.pocket.exchange import Pair
from studio.train.pocket.lexicon import Lexicon
from studio.train.pocket.scene import capitalised

WEIGHT = 11.0
REMEMBERED = 3
"""Tasks back that the list goes."""
_ANY_LIST = (
    "What are my tasks?",
    "Show my tasks.",
    "What is on my list?",
    "List all my tasks.",
    "What do I have to do?",
    "Read my list.",
)
_FILTERED = {
    "{0} priority tasks": (
        words.PRIORITIES,
        ("What are my {0} priority tasks?", "Show my {0} priority tasks.", "List {0} priority tasks."),
    ),
    "tasks for {0}": (
        words.SPANS,
        (
            "What is on my list for {0}?",
            "What do I have to do {0}?",
            "What are my tasks for {0}?",
            "Show my tasks for {0}.",
        ),
    ),
    "{0} tasks": (words.PROJECTS, ("Show my {0} tasks.", "What are my {0} tasks?", "List the tasks in {0}.")),
    "overdue tasks": (("",), ("What is overdue?", "Do I have overdue tasks?", "Show my overdue tasks.")),
    "tasks": (("",), _ANY_LIST),
}


def ask_for_list(lexicon: Lexicon, named: Sequence[str]) -> list[Pair]:
    """Mostly the tasks that were named in this conversation; else some list that the assistant claims to have."""
    if named and lexicon.happens(0.85):
        return [(lexicon.any(_ANY_LIST), _told(lexicon, "tasks", named[-REMEMBERED:]))]
    label, (options, questions) = lexicon.rng.choice(list(_FILTERED.items()))
    option = lexicon.any(options)
    tasks = [lexicon.task() for _ in range(lexicon.rng.choice((0, 1, 2, 3, 3)))]
    return [(lexicon.any(questions).format(option), _told(lexicon, label.format(option), tasks))]


def _told(lexicon: Lexicon, label: str, tasks: Sequence[str]) -> str:
    if not tasks:
        return lexicon.any(
            (f"You have no {label}.", f"There are no {label} on your list.", f"You have no {label} right now.")
        )
    if len(tasks) == 1:
        return lexicon.any((f"You have one item in your {label}: {tasks[0]}.", f"Your {label}: {tasks[0]}."))
    listed = " ".join(f"{number}. {capitalised(task)}." for number, task in enumerate(tasks, 1))
    return lexicon.any(
        (
            f"You have {len(tasks)} {label}: {', '.join(tasks[:-1])} and {tasks[-1]}.",
            f"Here are your {label}: {', '.join(tasks)}.",
            f"Your {label} are: {listed}",
        )
    )
