"""The lines around the chat's panes: how the worker stands, what it proved, how the votes stand."""

from __future__ import annotations

from collections import Counter

from textual.content import Content

from studio.serve.types import ServeReady
from studio.tui.live.bridge import Snapshot
from studio.tui.live.progress import ServeProgress
from studio.tui.screens.chat.conversation import CHOICES, Choice, Conversation
from studio.tui.screens.job_stage import job_state
from studio.tui.text import counted, join, line

SLEEPS = "no worker is loaded: it starts with your first message (or s)"
ENDS = {"dead": "died", "failed": "failed"}
ENDED = "the worker has ended: it starts again with your next message (or s)"


def worker_line(snapshot: Snapshot | None, run_id: str) -> Content:
    """Loading, ready with its proof, or why there is none."""
    if not run_id:
        return join(("No run was trained to its end yet: train one first (5).", "$warning"))
    if snapshot is None:
        return join((SLEEPS, "$quiet"))
    progress: ServeProgress | None = snapshot.progress
    if snapshot.view.state in ("failed", "dead"):
        why = line(snapshot.view.error or "").plain
        ended = f"the worker {ENDS[snapshot.view.state]}: s starts it again, L shows its log  "
        return join((ended, "$warning bold"), (why, "$quiet"))
    if not snapshot.alive:
        return join((ENDED, "$quiet"))
    if progress is None or progress.ready is None:
        return join(("loading base and adapter, ", "$primary bold"), job_state(snapshot, ""))
    return proof_line(progress.ready)


def proof_line(ready: ServeReady) -> Content:
    """What was measured when the worker started."""
    proof = ready.proof
    if proof is None:
        return join(("no adapter is loaded", "$warning"), (f"  on {ready.device}", "$quiet"))
    if not proof.proven:
        told = f"base NOT proven: off differs by {proof.delta_off_base:.2g}, on by {proof.delta_on_off:.2g}"
        return join((told, "$error bold"), (f"  on {ready.device}", "$quiet"))
    told = f"base proven: adapter off = base, on differs by {proof.delta_on_off:.2f}"
    return join((told, "$success"), (f"  on {ready.device}", "$quiet"))


def votes_line(
    votes: Counter[Choice],
    conversation: Conversation,
    *,
    on_its_way: Choice | None = None,
    busy: bool = False,
    writing: bool = False,
) -> Content:
    """The running count, and how the newest pair stands; a vote ``on_its_way`` to the disk is not called saved. While
    ``writing``, letters are letters: escape comes before a vote."""
    counts = "  ".join(f"{label} {votes[choice]}" for choice, label in CHOICES.items())
    told = join(("votes  ", "$quiet"), counts, "   ")
    last, first = conversation.last, "esc, then " if writing else ""
    if last is None:
        return told
    if busy:
        return join(told, ("replying", "$primary bold"))
    if not last.whole:
        return join(told, (f"a reply is missing: {first}r", "$warning"))
    vote = on_its_way or last.vote
    if vote is None:
        return join(told, (f"which? {first}h l t x", "$primary"))
    return join(told, (f"now: {CHOICES[vote]}", "bold"), (" …" if on_its_way else "", "$quiet"))


def pane_title(side: str, run_id: str) -> Content:
    """``base  adapter off`` and ``tuned  adapter on, run ...``."""
    told = "adapter off" if side == "base" else ", ".join(["adapter on", *([line(run_id).plain] if run_id else [])])
    return join((side, "bold $primary"), (f"  {told}", "$quiet"))


def conversation_line(one: Conversation) -> Content:
    """``11-21 12:03   3 turns  How deep is berth two?``, in the time of here."""
    begun = f"{one.begun.astimezone():%m-%d %H:%M}"
    return join(begun, (f" {counted(len(one.exchanges), 'turn'):>9}  ", "$quiet"), line(one.exchanges[0].user))


def searched(one: Conversation) -> str:
    """What a conversation is found by: all that was said in it, and the run it was with."""
    said = [text for pair in one.exchanges for text in (pair.user, pair.base, pair.tuned) if text]
    return " ".join([one.run_id, *said])
