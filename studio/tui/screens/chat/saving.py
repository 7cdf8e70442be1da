"""Saving a side of a conversation as an example: which side, edited or not, and the scenario that it shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from studio.chatml import assistant
from studio.evaluate.types import Side
from studio.generate.by_hand import Added, add_by_hand, read_draft
from studio.generate.plan import open_scenarios
from studio.triage import Triage
from studio.tui.dialogs.pick import Pick
from studio.tui.dialogs.questions import Choose
from studio.tui.dialogs.reply_editor import ReplyEditor
from studio.tui.screens.chat.conversation import SIDES, Conversation

if TYPE_CHECKING:
    from studio.build import Session
    from studio.tui.screens.stage import StageScreen


class Saving:
    """One screen's."""

    def __init__(self, screen: StageScreen) -> None:
        self._screen = screen

    def offer(self, now: Conversation) -> None:
        """Ask, and save."""
        app, sides = self._screen.app, savable(now)
        items = [item for _, item in open_scenarios(self._screen.session.loaded.spec)]
        told = {"h": ("base", "the base's side as it is"), "H": ("base", "the base's, its reply edited first")}
        told |= {"l": ("tuned", "the tuned side as it is"), "L": ("tuned", "the tuned one's, its reply edited first")}
        choices = {key: what for key, (side, what) in told.items() if side in sides}

        def chosen(key: str | None) -> None:
            if key is None:
                return
            side: Side = "base" if key in "hH" else "tuned"
            if key in "hl":
                show(side, None)
                return
            messages = (*now.asked(side), assistant((now.last.reply(side) if now.last else None) or ""))
            app.push_screen(ReplyEditor(messages), lambda reply: show(side, reply) if reply is not None else None)

        def show(side: Side, edited: str | None) -> None:
            def shows(picked: int | str | None) -> None:
                if isinstance(picked, int):
                    self._screen.run(self._save(now, side, items[picked], edited))

            app.push_screen(Pick("which scenario does it show", items), shows)

        app.push_screen(Choose("Save as an example", choices), chosen)

    async def _save(self, now: Conversation, side: Side, scenario: str, edited: str | None) -> None:
        studio = self._screen.studio
        saved = await studio.disk.write(saved_example, self._screen.session, now, side, scenario, edited)
        done = {
            "added": "saved and accepted: it stands in triage (4)",
            "known": "it was there already, and is accepted now",
            "duplicate": f"kept, but rejected as a near-duplicate of {saved.says}",
            "held_out": f"kept, but rejected: it says a held-out message, {saved.says}",
        }
        studio.tell(done[saved.outcome])
        studio.wake()


def savable(now: Conversation) -> list[Side]:
    """The sides that have replied to the newest turn."""
    last = now.last
    return [side for side in SIDES if last is not None and last.reply(side) is not None]


def saved_example(session: Session, now: Conversation, side: Side, scenario: str, edited: str | None) -> Added:
    """Keep what a side said, all turns up to its newest reply, as an accepted example of origin ``chat``. With the last
    reply ``edited`` the one that was said stays as the original: the two are a preference pair. Writes the store.

    Raises UserError where it is no conversation to learn from.
    """
    turns = [*now.asked(side), assistant((now.last.reply(side) if now.last else None) or "")]
    page = {"scenario": scenario, "messages": [turn.model_dump() for turn in turns]}
    draft = read_draft(json.dumps(page), "the conversation", session.loaded.spec)
    author = f"{now.run_id} {side}".strip()
    (added,) = add_by_hand(session.loaded, session.workspace, [draft], origin="chat", author=author)
    triage = Triage(session.workspace)
    if added.outcome == "held_out":
        return added
    if edited is not None and edited != turns[-1].content:
        triage.edit(added.example_id, (*draft.messages[:-1], assistant(edited)))
    elif added.outcome in ("added", "known"):
        triage.accept(added.example_id)
    return added
