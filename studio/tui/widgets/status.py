"""The lines that say how something stands: a stage's own, and the three that frame every stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.content import Content
from textual.widgets import Static

from studio.tui.keys import BY_ID, name_of
from studio.tui.stages import ENTRIES, MARKS
from studio.tui.studio import studio_of
from studio.tui.text import cells, clip, join, lines

if TYPE_CHECKING:
    from textual.screen import Screen

NOTHING = Content("")
TABS_AND_NAME = 94
"""Cells that the tabs take with a persona's name beside them."""
STYLES = {"done": "$success", "running": "$primary bold", "needs": "$warning bold", "failed": "$error bold", "none": ""}


class Caption(Static):
    """Repaints only where it says something else than before, and without a layout."""

    def __init__(self, content: Content = NOTHING, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(content, id=id, classes=classes)
        self._told = content

    def show(self, content: Content) -> None:
        self._tell(content, layout=False)

    def _tell(self, content: Content, *, layout: bool) -> None:
        if not content.is_same(self._told):
            self._told = content
            self.update(content, layout=layout)


class Title(Caption):
    """How a stage stands, in one line, cut with an ellipsis; ``whole`` gives it up to four lines instead."""

    def __init__(self, id: str = "title") -> None:
        super().__init__(id=id, classes="title")
        self._content, self._whole = NOTHING, False

    def show(self, content: Content, *, whole: bool = False) -> None:
        self._content, self._whole = content, whole
        width = self.content_size.width
        long = whole and width > 0 and ("\n" in content.plain or content.cell_length > width)
        self.set_class(long, "-whole")
        self._tell(lines(content.wrap(width)) if long else content, layout=long)

    def on_resize(self) -> None:
        self.show(self._content, whole=self._whole)


class FrameLine(Caption):
    """A line of the frame, as long as the window is wide."""

    def __init__(self) -> None:
        super().__init__(classes="frame-line")

    def on_resize(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Bring it up to date."""
        self.show(self.drawn(self.content_size.width))

    def drawn(self, width: int) -> Content:
        raise NotImplementedError


class StageTabs(FrameLine):
    """``1 spec✓  2 bank  3 generate▸ ...``: where one is, and how each stage stands."""

    def drawn(self, width: int) -> Content:
        here, studio = self.screen.id, studio_of(self)
        parts: list[Content] = []
        for entry in ENTRIES:
            mark = studio.marks.get(entry.stage, "none")
            name = (entry.stage, "bold reverse" if entry.stage == here else "")
            parts.append(join((entry.key, "$quiet"), " ", name, (MARKS[mark], STYLES[mark]), " "))
        tabs = Content("").join(parts)
        room = width - tabs.cell_length - 2
        if studio.loaded is None or width < TABS_AND_NAME:
            return tabs
        persona = clip(studio.loaded.spec.name, room)
        return join(tabs.pad_right(room - cells(persona) + 1), (persona, "bold"))


class StatusLine(FrameLine):
    """What the studio runs on, and which jobs run; the persona too, where the line of the tabs has no room for it."""

    def drawn(self, width: int) -> Content:
        studio = studio_of(self)
        loaded, found = studio.loaded, studio.environment
        jobs = "  ".join(one.brief for one in studio.snapshots.values() if one.brief)
        persona = f"{clip(loaded.spec.name, 16)}  " if loaded and width < TABS_AND_NAME else ""
        room = max(width - cells(persona) - (cells(jobs) + 2 if jobs else 0), 0)
        on = found.status_line if cells(found.status_line) <= room else clip(found.short_line, room)
        gap = max(width - cells(persona) - cells(on) - cells(jobs), 1)
        return join((persona, "bold"), (on, "$quiet"), " " * gap if jobs else "", (jobs, "$primary"))


class NextLine(FrameLine):
    """``Next: evaluate run 7d22 (6 s)``, on every stage."""

    def drawn(self, width: int) -> Content:
        return join((clip(studio_of(self).next_step, width), "$warning"))


class KeyLine(FrameLine):
    """The keys that do something here, read from the bindings that are active; those of everywhere last."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._updated)

    def _updated(self, _: Screen[Any]) -> None:
        self.redraw()

    def drawn(self, width: int) -> Content:
        keys: dict[str, Content] = {}  # one an action
        for key, active in self.screen.active_bindings.items():
            action = BY_ID.get(active.binding.id or "")
            if action and action.show and active.enabled:
                keys.setdefault(action.id, join((name_of(key), "$primary bold"), " ", (action.label, "$quiet")))
        ordered = [id for id in BY_ID if id in keys]  # where a key was remapped Textual puts it last
        tail = Content("  ").join(keys[id] for id in ordered if BY_ID[id].scope == "studio")
        content, room = Content(""), width - tail.cell_length
        for one in (keys[id] for id in ordered if BY_ID[id].scope != "studio"):
            if content.cell_length + one.cell_length + 2 <= room:
                content = join(content, one, "  ")
        return content + tail
