"""Lines that scroll by keys: one column of its own for the thumb, no layout when the number of lines changes."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.content import Content
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style as VisualStyle
from textual.visual import Visual
from textual.widget import Widget

THUMB = "▐"
WHEEL = 3


def strip_of(widget: Widget, content: Content, width: int, style: VisualStyle | None = None) -> Strip:
    """One line of exactly ``width`` cells, in the widget's style where none is given."""
    style = style or widget.visual_style
    strips = Visual.to_strips(widget, content, width, 1, style, pad=True)
    return strips[0] if strips else Strip.blank(width, style.rich_style)


class Scrolling(ScrollView, can_focus=True):
    """A subclass draws ``line(index, width)``. Textual's own scrollbar costs a layout of the screen, and the whole bar
    twice, each time that the number of lines changes; here only cells that differ are painted."""

    COMPONENT_CLASSES = {"scrolling--thumb"}

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._thumb_shown = (0, 0)

    def line(self, index: int, width: int) -> Strip:
        """The line of this index, exactly ``width`` cells; asked for past the end too."""
        raise NotImplementedError

    @property
    def total(self) -> int:
        """How many lines there are."""
        return self.virtual_size.height

    @property
    def text_width(self) -> int:
        return max(self.content_size.width - 1, 0)

    @property
    def text_height(self) -> int:
        return self.content_size.height

    def set_total(self, total: int) -> None:
        """There are so many lines now; repaints nothing but the thumb."""
        if total != self.total:
            self.set_reactive(Widget.virtual_size, Size(0, total))
            if self.scroll_offset.y > self._last_top:
                self.to_line(self._last_top)
            self._show_thumb()

    def to_line(self, top: int) -> None:
        """Scroll so that this line is the first one shown, as far as there are lines."""
        self.scroll_y = max(0, min(top, self._last_top))

    def repaint_lines(self, first: int, count: int = 1) -> None:
        """Paint lines again, by index, where they are visible."""
        top = self.scroll_offset.y
        start, end = max(first, top), min(first + count, top + self.text_height)
        if start < end:
            self.refresh(Region(0, start - top, self.content_size.width, end - start))

    @property
    def position(self) -> int:
        """What the keys move: the first line shown."""
        return self.scroll_offset.y

    def steer_to(self, index: int) -> None:
        """A key asks for this position, perhaps past an end."""
        self.to_line(index)

    def action_down(self) -> None:
        self.steer_to(self.position + 1)

    def action_up(self) -> None:
        self.steer_to(self.position - 1)

    def action_first(self) -> None:
        self.steer_to(0)

    def action_last(self) -> None:
        self.steer_to(self.total - 1)

    def action_half_down(self) -> None:
        self.steer_to(self.position + max(self.text_height // 2, 1))

    def action_half_up(self) -> None:
        self.steer_to(self.position - max(self.text_height // 2, 1))

    def validate_scroll_y(self, value: float) -> float:
        return max(0.0, min(value, float(self._last_top)))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        if round(old_value) != round(new_value):
            self._thumb_shown = self._thumb()
            self.refresh(self.size.region)

    def render_line(self, y: int) -> Strip:
        strip = self.line(self.scroll_offset.y + y, self.text_width)
        start, end = self._thumb()
        base = self.visual_style.rich_style
        style = self.get_component_rich_style("scrolling--thumb", partial=True)
        cell = Segment(THUMB, base + Style(color=style.color)) if start <= y < end else Segment(" ", base)
        return Strip([*strip, cell], strip.cell_length + 1)

    @property
    def _last_top(self) -> int:
        return max(self.total - self.text_height, 0)

    def _thumb(self) -> tuple[int, int]:
        """First row of the thumb, and the one after its last; nothing where all is shown."""
        height = self.text_height
        if self.total <= height or height < 1:
            return 0, 0
        size = max(height * height // self.total, 1)
        start = round(self.scroll_offset.y * (height - size) / max(self._last_top, 1))
        return start, start + size

    def _show_thumb(self) -> None:
        thumb = self._thumb()
        if thumb != self._thumb_shown:
            self._thumb_shown = thumb
            self.refresh(Region(self.text_width, 0, 1, self.text_height))

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.to_line(self.scroll_offset.y + WHEEL)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.to_line(self.scroll_offset.y - WHEEL)
