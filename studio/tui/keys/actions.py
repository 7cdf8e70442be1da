"""The registry of actions: bindings, footer, help and palette are all read from this table.

Plain letters in lists. Nothing that tmux, screen or a terminal eats: no ctrl+h i m a b z s, no alt, no shift+enter.
Keys can be remapped in studio.json (table ``settings``, id ``keys``) by the action's id; see ``remap.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.screen import Screen

from studio.tui.stages import ENTRIES


@dataclass(frozen=True)
class Action:
    """``id`` is ``scope.name``; ``keys`` separates alternatives by commas; ``label`` is the footer's word."""

    id: str
    keys: str
    label: str
    help: str
    show: bool = True
    """Whether the footer shows it; help and palette always do."""
    run: str = ""
    """The Textual action; the id's name where empty."""
    priority: bool = False
    """Taken before the focused widget sees the key."""

    @property
    def scope(self) -> str:
        return self.id.partition(".")[0]

    @property
    def action(self) -> str:
        return self.run or self.id.partition(".")[2]

    @property
    def in_palette(self) -> bool:
        """Whether it makes sense to pick it by name."""
        return self.scope not in ("list", "page") and self.id not in ("studio.palette", "studio.back")


CHECKLIST = ("authentic", "generic", "vocabulary", "structure", "violation", "bias", "safety")
"""The slugs of :data:`studio.triage.checklist.ALL_CHECKS`, which is not loaded before the first paint."""
ACTIONS: tuple[Action, ...] = (
    *(Action(f"studio.{one.stage}", one.key, one.stage, one.help, False, f"app.go('{one.stage}')") for one in ENTRIES),
    Action("studio.help", "question_mark", "help", "What every key does here", run="app.help"),
    Action("studio.palette", "colon,ctrl+p", "find", "Find an action by name", run="app.palette"),
    Action("studio.back", "escape", "back", "Close what is open, or go back to the list", False, run="app.back"),
    Action("studio.quit", "ctrl+q", "quit", "Close the window; jobs go on", run="app.quit", priority=True),
    Action("list.down", "j,down", "down", "Next row", False),
    Action("list.up", "k,up", "up", "Previous row", False),
    Action("list.first", "g,home", "first", "First row", False),
    Action("list.last", "G,end", "last", "Last row", False),
    Action("list.half_down", "ctrl+d,pagedown", "half page down", "Half a page down", False),
    Action("list.half_up", "ctrl+u,pageup", "half page up", "Half a page up", False),
    Action("list.choose", "enter", "open", "Open the row", False),
    Action("page.down", "j,down", "down", "Scroll down", False),
    Action("page.up", "k,up", "up", "Scroll up", False),
    Action("page.first", "g,home", "top", "To the top", False),
    Action("page.last", "G,end", "end", "To the end", False),
    Action("page.half_down", "ctrl+d,pagedown", "half page down", "Half a page down", False),
    Action("page.half_up", "ctrl+u,pageup", "half page up", "Half a page up", False),
    Action("detail.page_down", "J", "page down", "Scroll the page beside the list down", False),
    Action("detail.page_up", "K", "page up", "Scroll the page beside the list up", False),
    Action("spec.edit", "e", "edit", "Edit the file in place, checked as you type"),
    Action("spec.editor", "E", "$EDITOR", "Open the file in $EDITOR"),
    Action("spec.view", "p", "prompts", "Change between the parts of the spec and its prompts"),
    Action("spec.reload", "R", "reload", "Read the file again", False),
    Action("edit.save", "ctrl+o,ctrl+s,f2", "save", "Save, if it is valid"),
    Action("edit.next_problem", "ctrl+n", "next problem", "Go to the next problem"),
    Action("edit.leave", "escape", "close", "Close the editor; asks before anything is dropped", priority=True),
    Action("job.start", "s", "start", "Start this stage's job, or go on where it stopped"),
    Action("job.stop", "S", "stop", "Ask the job to save and end"),
    Action("job.log", "L", "log", "The end of what the job printed", False),
    Action("bank.use", "x", "use", "Use people: recipes, queries, ask, talk, study, effect"),
    Action("bank.filter", "f", "filter", "Show only some: by source, method, language or words"),
    Action("bank.search", "slash", "search", "Find people by words"),
    Action("bank.next", "n", "next", "Next person found", False),
    Action("bank.previous", "N", "previous", "Previous person found", False),
    Action("bank.report", "v", "report", "Who is there and how diverse they are, or the list again"),
    Action("bank.import", "i", "import", "Import people from a file, after a dry run"),
    Action("bank.export", "w", "export", "Export those shown, or what they were used for, to a file"),
    Action("bank.made", "o", "results", "What people were used for: lists, reports, review, export"),
    Action("bank.dedup", "d", "twins", "Find people who are there twice; a yes removes them"),
    Action("bank.undo", "u", "put back", "Put back who was removed as a twin", False),
    Action("bank.triage", "t", "triage", "Open the person's examples in triage", False),
    Action("bank.beside", "b", "beside", "Measure the bank beside another one, in a file", False),
    Action("bank.picture", "P", "picture", "Write the report as a picture (SVG)", False),
    Action("bank.remove", "D", "remove all", "Remove the people of the bank whom no example names", False),
    Action("made.report", "v", "report", "The report of all in this list"),
    Action("made.review", "r", "review", "Review a sample of it; of queries, say which are real"),
    Action("made.triage", "t", "to triage", "Send the mismatches to triage, to correct and learn from"),
    Action("made.export", "w", "export", "Write them, or the report, to a file"),
    Action("made.help", "question_mark", "help", "What every key does here", run="app.help"),
    Action("sitting.valid", "a", "valid", "It is valid: on to the next", run="answer('valid')"),
    Action("sitting.invalid", "r", "not valid", "It is not valid; a second key says why", run="reject"),
    Action("sitting.first", "1,h", "first", "The first one is a real customer's", run="answer('first')"),
    Action("sitting.second", "2,l", "second", "The second one is a real customer's", run="answer('second')"),
    Action("sitting.tie", "t", "tie", "They are equally real", run="answer('tie')"),
    Action("sitting.skip", "s", "skip", "Leave this one out of this sitting"),
    Action("sitting.undo", "u", "undo", "Take back the answer before"),
    Action("sitting.leave", "escape", "leave", "Leave; what is answered is kept"),
    Action("sitting.help", "question_mark", "help", "What every key does here", run="app.help"),
    Action("generate.look", "t", "triage", "Open the example under the cursor in triage"),
    Action("generate.authors", "w", "who writes", "Who could write examples: recording, server, model, you"),
    Action("generate.new", "n", "new", "Write an example by hand, in $EDITOR"),
    Action("generate.more", "plus", "more at once", "Twice as many examples under way at once", False),
    Action("generate.fewer", "minus", "fewer at once", "Half as many examples under way at once", False),
    Action("generate.fit", "f", "check fit", "Have the judge also say whether who asks fits", False),
    Action("generate.balance", "b", "scenarios", "Every scenario with its count: missing, too few, too many"),
    Action("generate.map", "m", "coverage", "Coverage as a heat map; enter fills a cell"),
    Action("generate.collect", "c", "collect batch", "Collect the batch, and submit what is wanted next", False),
    Action("generate.cancel", "C", "cancel batch", "Have the server end the batch; what came is kept", False),
    Action("triage.accept", "a", "accept", "Accept the example, or the marked ones"),
    Action("triage.reject", "r", "reject", "Reject it; a second key says why"),
    Action("triage.edit", "e", "edit", "Write the reply as it ought to be; the edit is accepted"),
    Action("triage.editor", "E", "$EDITOR", "Edit the whole conversation in $EDITOR", False),
    Action("triage.skip", "s", "skip", "Go on without deciding", False),
    Action("triage.undo", "u", "undo", "Undo the last decision, also from before a restart"),
    Action("triage.filter", "f", "filter", "Show only some; filters combine, and are taken away"),
    Action("triage.review", "i", "review", "Review a stratified sample: how many errors are there"),
    Action("triage.why", "w", "why", "Why it is here: scenario, person, prompt, neighbour"),
    Action("triage.by_hand", "b", "by hand", "Write an example by hand, in $EDITOR"),
    Action("triage.again", "R", "regenerate", "Ask the author for another reply, or another conversation"),
    Action("triage.redo", "U", "redo", "Redo what was undone", False),
    Action("triage.clear", "c", "clear", "Take your decision away: the judge's word stands", False),
    Action("triage.mark", "space", "mark", "Mark it, to decide on several at once", False),
    Action("triage.range", "v", "range", "Begin a range of rows; again, and it is marked", False),
    Action("triage.mark_all", "m", "mark all", "Mark all that the filter shows", False),
    Action("triage.like", "l", "alike", "Mark examples like this one, as alike as you say", False),
    Action("triage.sort", "o", "sort", "Sort: newest, least sure, judge against rules, gaps", False),
    Action("triage.search", "slash", "search", "Go to examples with certain words", False),
    Action("triage.next", "n", "next", "Next example found", False),
    Action("triage.previous", "N", "previous", "Previous example found", False),
    Action("triage.copy", "y", "copy", "Copy the conversation, to the clipboard and to a file", False),
    Action("triage.export", "x", "export", "Write the accepted examples as ChatML JSONL"),
    Action("reply.save", "ctrl+o,ctrl+s,f2", "save", "Save the reply and accept the example"),
    Action("reply.leave", "escape", "leave", "Leave it as it was", priority=True),
    Action("train.edit", "e", "recipe", "Change epochs, learning rate, rank and batch"),
    Action("train.resume", "R", "resume", "Go on with the newest run, whatever the plan is now"),
    Action("evaluate.verdict", "v", "verdict", "Open the locked probes for a verdict; looks are counted"),
    Action("evaluate.label", "l", "label", "Label replies of this run, blind: that decides its gates"),
    Action("evaluate.report", "r", "report", "All of it: gates with their notes, categories, judge"),
    Action("evaluate.improve", "i", "improve", "Improve: examples for the weakest trait, then retrain"),
    Action("label.absent", "0", "no", "Score the trait 0, and go on to the next", run="score(0)"),
    Action("label.partly", "1", "partly", "Score the trait 1, and go on to the next", run="score(1)"),
    Action("label.fully", "2", "yes", "Score the trait 2, and go on to the next", run="score(2)"),
    Action("label.left", "h", "left", "The left reply is better", run="prefer('left')"),
    Action("label.right", "l", "right", "The right reply is better", run="prefer('right')"),
    Action("label.tie", "t", "tie", "Both are equally good", run="prefer('tie')"),
    Action("label.boundary", "b", "boundary", "The reply violates a boundary; a second key says which"),
    Action("label.skip", "s", "skip", "Leave this one for the end"),
    Action("label.undo", "u", "undo", "Undo the last score, or the last answer"),
    Action("label.pairs", "p", "pairs", "Change between pairs of replies and single ones"),
    Action("label.leave", "escape", "leave", "Leave; what is labelled is kept, and decides the gates"),
    Action("label.help", "question_mark", "help", "What every key does here", run="app.help"),
    *(
        Action(f"review.{slug}", str(key), slug, f"It fails the check: {slug}", False, f"fail('{slug}')")
        for key, slug in enumerate(CHECKLIST, start=1)
    ),
    Action("review.keep", "enter", "next", "To the second page, and from there: keep it and go on"),
    Action("review.page", "tab", "other page", "The other page of the checklist"),
    Action("review.skip", "s", "skip", "Leave this one for the end"),
    Action("review.undo", "u", "undo", "Take back the last review"),
    Action("review.more", "m", "more", "Look at as many more as a verdict takes"),
    Action("review.anew", "A", "new sample", "Draw a new sample of what is accepted now", False),
    Action("review.leave", "escape", "leave", "Leave; what is reviewed is kept"),
    Action("review.help", "question_mark", "help", "What every key does here", run="app.help"),
    Action("chat.write", "enter", "write", "Write to both sides"),
    Action("chat.base_better", "h", "base", "The left reply, the base's, is better", run="vote('base')"),
    Action("chat.tuned_better", "l", "tuned", "The right reply, the tuned one's, is better", run="vote('tuned')"),
    Action("chat.tie", "t", "tie", "Both replies are equally good", run="vote('tie')"),
    Action("chat.both_bad", "x", "both bad", "Neither reply will do", run="vote('bad')"),
    Action("chat.fresh", "n", "new", "Begin a new conversation; this one is kept"),
    Action("chat.save", "e", "example", "Save a side as an example, as it is or edited"),
    Action("chat.earlier", "o", "earlier", "Open an earlier conversation"),
    Action("chat.again", "r", "again", "Ask again for a reply that never came", False),
    Action("write.send", "enter", "send", "Send the message to both sides", priority=True),
    Action("write.newline", "ctrl+j", "new line", "Put a new line into the message", priority=True),
    Action("write.leave", "escape", "leave the line", "Leave the message: votes and stages have their keys again"),
    Action("package.copy", "c", "copy path", "Copy the package's path: to the clipboard and to a file"),
)
BY_ID = {action.id: action for action in ACTIONS}


def bindings(scope: str) -> list[BindingType]:
    """The bindings of one scope, for a class's ``BINDINGS``."""
    return [
        Binding(one.keys, one.action, one.label, show=one.show, priority=one.priority, tooltip=one.help, id=one.id)
        for one in ACTIONS
        if one.scope == scope
    ]


def name_of(key: str) -> str:
    """A key as people write it: ``question_mark`` is ``?``, ``ctrl+d`` is ``^d``."""
    named = {"question_mark": "?", "colon": ":", "slash": "/", "escape": "esc"}
    named |= {"left_square_bracket": "[", "right_square_bracket": "]"}
    return named.get(key, key.replace("ctrl+", "^"))


LAST = {"detail": 1, "list": 2, "page": 2, "studio": 3}
"""Scopes that come after those of the place itself."""


@dataclass(frozen=True)
class ActiveAction:
    """An action, the keys that run it now (remapped ones too), and the node on which it runs."""

    action: Action
    keys: str
    node: DOMNode


def active_actions(screen: Screen[Any]) -> list[ActiveAction]:
    """The actions of this place, its own first, then those of everywhere."""
    keys: dict[str, list[str]] = {}
    nodes: dict[str, DOMNode] = {}
    for key, active in screen.active_bindings.items():
        id = active.binding.id or ""
        if id in BY_ID and active.enabled:
            keys.setdefault(id, []).append(name_of(key))
            nodes[id] = active.node
    ordered = sorted((id for id in BY_ID if id in keys), key=lambda id: LAST.get(BY_ID[id].scope, 0))
    return [ActiveAction(BY_ID[id], " ".join(sorted(keys[id], key=len)), nodes[id]) for id in ordered]
