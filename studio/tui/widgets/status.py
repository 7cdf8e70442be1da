"""The three lines that frame every stage: the tabs above, what it runs on and the keys below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from studio.tui.keys import BY_ID, name_of
from studio.tui.stages import ENTRIES, MARKS
from studio.tui.studio import Studio, studio_of
from studio.tui.text import cells, clip, join, lines

if TYPE_CHECKING:
    from textual.screen import Screen


NOTHING = Content("")


class Caption(Static):
    """Repaints only where it says something else than before, and without a layout."""

    def __init__(self, content: Content = NOTHING, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(content, id=id, classes=classes)
        self._told = content

    def show(self, content: Content) -> None:
        self.tell(content)

    def tell(self, content: Content, *, layout: bool = False) -> None:
        """As ``show``; with ``layout`` where it may need more lines."""
        if not content.is_same(self._told):
            self._told = content
            self.update(content, layout=layout)


class Title(Caption):
    """``show(content)``: one line, cut with an ellipsis; ``whole`` gives it up to four lines instead."""

    def __init__(self, id: str = "title") -> None:
        super().__init__(id=id, classes="title")
        self._content, self._whole = NOTHING, False

    def show(self, content: Content, *, whole: bool = False) -> None:
        self._content, self._whole = content, whole
        width = self.content_size.width
        long = whole and width > 0 and ("\n" in content.plain or content.cell_length > width)
        self.set_class(long, "-whole")
        self.tell(lines(content.wrap(width)) if long else content, layout=long)

    def on_resize(self) -> None:
        self.show(self._content, whole=self._whole)


Key = tuple[str, str]
TABS_AND_NAME = 94
"""Cells that the tabs take with a persona's name beside them."""
STYLES = {"done": "$success", "running": "$primary bold", "needs": "$warning bold", "failed": "$error bold", "none": ""}


class FrameLine(Widget):
    """One line that repaints only when its content changed."""

    def __init__(self) -> None:
        super().__init__(classes="frame-line")
        self._content = Content("")

    def render(self) -> Content:
        return self._content

    def on_resize(self) -> None:
        self.show()

    def show(self) -> None:
        content = self.drawn(self.size.width)
        if not content.is_same(self._content):
            self._content = content
            self.refresh()

    def drawn(self, width: int) -> Content:
        raise NotImplementedError

    @property
    def studio(self) -> Studio:
        return studio_of(self)


class StageTabs(FrameLine):
    """``1 spec✓  2 bank  3 generate▸ ...``: where one is, and how each stage stands."""

    def drawn(self, width: int) -> Content:
        here = self.screen.id
        parts: list[Content] = []
        for entry in ENTRIES:
            mark = self.studio.marks.get(entry.stage, "none")
            name = (entry.stage, "bold reverse" if entry.stage == here else "")
            parts.append(join((entry.key, "$quiet"), " ", name, (MARKS[mark], STYLES[mark]), " "))
        tabs = Content("").join(parts)
        loaded = self.studio.loaded
        room = width - tabs.cell_length - 2
        if loaded is None or width < TABS_AND_NAME:
            return tabs
        persona = clip(loaded.spec.name, room)
        return join(tabs.pad_right(room - cells(persona) + 1), (persona, "bold"))


class StatusLine(FrameLine):
    """What the studio runs on, and which jobs run; the persona too, where the line of the tabs has no room for it."""

    def drawn(self, width: int) -> Content:
        loaded, found = self.studio.loaded, self.studio.environment
        jobs = "  ".join(one.brief for one in self.studio.snapshots.values() if one.brief)
        persona = f"{clip(loaded.spec.name, 16)}  " if loaded and width < TABS_AND_NAME else ""
        room = max(width - cells(persona) - (cells(jobs) + 2 if jobs else 0), 0)
        on = found.status_line if cells(found.status_line) <= room else clip(found.short_line, room)
        gap = max(width - cells(persona) - cells(on) - cells(jobs), 1)
        return join((persona, "bold"), (on, "$quiet"), " " * gap if jobs else "", (jobs, "$primary"))


class KeyLine(FrameLine):
    """The keys that do something here, read from the bindings that are active."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._updated)

    def _updated(self, _: Screen[Any]) -> None:
        self.show()

    def drawn(self, width: int) -> Content:
        here, everywhere = self._shown()
        tail = Content("  ").join(map(_key, everywhere))
        content, room = Content(""), width - tail.cell_length
        for one in map(_key, here):
            if content.cell_length + one.cell_length + 2 <= room:
                content = join(content, one, "  ")
        return content + tail

    def _shown(self) -> tuple[list[Key], list[Key]]:
        """Keys and labels: those of this place, and those of everywhere. One key an action."""
        found: dict[str, tuple[bool, Key]] = {}
        for key, active in self.screen.active_bindings.items():
            action = BY_ID.get(active.binding.id or "")
            if action and action.show and active.enabled:
                found.setdefault(action.id, (action.scope == "studio", (key, action.label)))
        keys = [found[id] for id in BY_ID if id in found]  # where a key was remapped Textual puts it last
        return [key for everywhere, key in keys if not everywhere], [key for everywhere, key in keys if everywhere]


def _key(key: Key) -> Content:
    return join((name_of(key[0]), "$primary bold"), " ", (key[1], "$quiet"))
