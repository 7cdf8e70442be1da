"""The lines around the chat's panes: how the worker stands, what it proved, how the votes stand."""

from __future__ import annotations

from collections import Counter

from textual.content import Content

from studio.serve.types import ServeReady
from studio.tui.live.bridge import Snapshot
from studio.tui.screens.chat.conversation import CHOICES, Choice, Conversation, Exchange
from studio.tui.screens.job_stage import job_state
from studio.tui.text import counted, join, line

NO_RUN = "No run was trained to its end yet: train one first (5)."
SLEEPS = "no worker is loaded: it starts with your first message (or s)"
ENDS = {"dead": "died", "failed": "failed"}
ENDED = "the worker has ended: it starts again with your next message (or s)"


def worker_line(snapshot: Snapshot | None, run_id: str) -> Content:
    """Loading, ready with its proof, or why there is none."""
    if not run_id:
        return join((NO_RUN, "$warning"))
    if snapshot is None:
        return join((SLEEPS, "$quiet"))
    if snapshot.view.state in ENDS:
        ended = f"the worker {ENDS[snapshot.view.state]}: s starts it again, L shows its log  "
        return join((ended, "$warning bold"), (line(snapshot.view.error or "").plain, "$quiet"))
    if not snapshot.alive:
        return join((ENDED, "$quiet"))
    if snapshot.progress is None or snapshot.progress.ready is None:
        awaited = snapshot.progress.awaited if snapshot.progress else ""
        return join((f"{awaited or 'loading base and adapter'}, ", "$primary bold"), job_state(snapshot, ""))
    return proof_line(snapshot.progress.ready)


def proof_line(ready: ServeReady) -> Content:
    """What was measured when the worker started."""
    proof = ready.proof
    if proof is None:
        told = ("no adapter is loaded", "$warning")
    elif not proof.proven:
        differs = f"off differs by {proof.delta_off_base:.2g}, on by {proof.delta_on_off:.2g}"
        told = (f"base NOT proven: {differs}", "$error bold")
    else:
        told = (f"base proven: adapter off = base, on differs by {proof.delta_on_off:.2f}", "$success")
    return join(told, (f"  on {ready.device}", "$quiet"))


def votes_line(
    votes: Counter[Choice], last: Exchange | None, on_its_way: Choice | None, keys: str, busy: bool
) -> Content:
    """The running count, and how the newest pair stands; a vote ``on_its_way`` to the disk is not called saved.
    ``keys`` is what comes before a vote, as where letters are letters."""
    counts = "  ".join(f"{label} {votes[choice]}" for choice, label in CHOICES.items())
    vote = on_its_way or (last.vote if last else None)
    if last is None:
        state = join("")
    elif busy:
        state = join(("replying", "$primary bold"))
    elif not last.whole:
        state = join((f"a reply is missing: {keys}r", "$warning"))
    elif vote is None:
        state = join((f"which? {keys}h l t x", "$primary"))
    else:
        state = join((f"now: {CHOICES[vote]}", "bold"), (" …" if on_its_way else "", "$quiet"))
    return join(("votes  ", "$quiet"), counts, "   ", state)


def pane_title(side: str, run_id: str) -> Content:
    """``base  adapter off`` and ``tuned  adapter on, run ...``."""
    adapter = "off" if side == "base" else f"on, {line(run_id).plain}" if run_id else "on"
    return join((side, "bold $primary"), (f"  adapter {adapter}", "$quiet"))


def conversation_line(one: Conversation) -> Content:
    """``11-21 12:03   3 turns  How deep is berth two?``, in the time of here."""
    begun = f"{one.begun.astimezone():%m-%d %H:%M}"
    return join(begun, (f" {counted(len(one.exchanges), 'turn'):>9}  ", "$quiet"), line(one.exchanges[0].user))


def searched(one: Conversation) -> str:
    """What a conversation is found by: all that was said in it, and the run it was with."""
    said = [text for pair in one.exchanges for text in (pair.user, pair.base, pair.tuned) if text]
    return " ".join([one.run_id, *said])
