"""Hostile text in every field, through every screen, read as the bytes that reach a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from studio.tui.live.terminal import copy
from studio.tui.text import InertLines, clip, join, line, shown
from tests.tui.making import SPEC, fill, opened, shows, until, window, write_spec
from tests.tui.pty_window import PtyWindow

PAYLOAD = (
    "A\x1b]52;c;aGFja2Vk\x07B\x1b]0;pwned\x07C\x1b[31;1mD\x9b31mE\x9d0;pwned\x9cF\u202egnp.exe\u2066G\x1b[2J"
    "[@click=app.quit]H[/] [/foo] [bold]I [link=http://evil]J\x08\x7f\x00K"
)
FORBIDDEN = (
    b"\x1b]52;c;aGFj",
    b"\x1b]0;pwned",
    b"\x1b]2;",
    b"\xc2\x9b",
    b"\xc2\x9d",
    b"\xe2\x80\xae",
    b"\xe2\x81\xa6",
    b"\x7f",
)
YAML = PAYLOAD.replace("\\", "\\\\").replace('"', '\\"')
ESCAPED = "".join(f"\\u{ord(one):04x}" if ord(one) < 32 or ord(one) > 126 else one for one in YAML)


def hostile_spec() -> str:
    """Every text of the spec carries the payload, written as YAML escapes."""
    text = SPEC.replace("Stays level", f'"{ESCAPED}"').replace("Say hello", f'"{ESCAPED}"')
    return text.replace("The calm voice on channel twelve.", f'"{ESCAPED}"')


def test_the_helpers_make_text_inert() -> None:
    for content in (shown(PAYLOAD), line(PAYLOAD), join(PAYLOAD, (PAYLOAD, "bold"))):
        assert not any(one < " " or "\x7f" <= one <= "\x9f" or one in "\u202e\u2066" for one in content.plain)
        assert "[@click=app.quit]H[/] [/foo]" in content.plain
        assert all(isinstance(span.style, str) for span in content.spans)
    assert len(clip(PAYLOAD, 10)) <= 10


def test_the_filter_drops_what_a_widget_let_through() -> None:
    filtered = InertLines().apply([Segment(PAYLOAD, Style()), Segment("plain")], Color(0, 0, 0))
    assert all(not any(one < " " or "\x7f" <= one <= "\x9f" for one in segment.text) for segment in filtered)
    untouched = [Segment("tab\tand text")]
    assert InertLines().apply(untouched, Color(0, 0, 0)) is untouched


@pytest.mark.parametrize("term", ["xterm-256color", "screen"])
def test_no_screen_lets_a_sequence_reach_the_terminal(tmp_path: Path, term: str) -> None:
    from studio.spec import load

    path = write_spec(tmp_path, hostile_spec())
    fill(tmp_path / "ws", load(path), 12, PAYLOAD).close()
    with PtyWindow(path, tmp_path / "ws", term=term) as window_:
        window_.until("Harbour")
        for _ in range(11):
            window_.send("j")
        window_.read(0.5)
        window_.press("e", "valid")
        window_.send("\x1b")
        window_.read(0.5)
        window_.press("2", "ferry mate")
        window_.press("3", "accepted")
        window_.press("4", "learned judge")
        window_.press("w", "why it is here")
        window_.send("jjw")
        window_.press("e", "The reply as it ought to be")
        window_.press("z\x1b", "Leave the reply")
        window_.send("y")
        window_.press("fbanned\r", " of 2")
        window_.press("/evil\r", "pwned")
        window_.press("?", "esc closes this")
        window_.send("\x1b")
        window_.read(0.5)
        window_.send("\x11")
        window_.wait()
    assert b"pwned" in window_.output, "the payload was on the screen"
    found = [sequence for sequence in FORBIDDEN if sequence in window_.output]
    assert found == []
    assert window_.process.returncode == 0


def test_a_spec_with_raw_control_characters_is_told_inert(tmp_path: Path) -> None:
    path = write_spec(tmp_path, SPEC + f'# {PAYLOAD}\nbad"{PAYLOAD}": 1\n')
    with PtyWindow(path, tmp_path / "ws") as window_:
        window_.until("cannot be used yet")
        window_.read(0.5)
        window_.send("e")
        window_.read(1.5)
        window_.send("\x1b")
        window_.read(0.3)
    assert [sequence for sequence in FORBIDDEN if sequence in window_.output] == []


async def test_markup_in_text_never_acts(tmp_path: Path) -> None:
    app = opened(tmp_path, 4, "[@click=app.quit]press[/] [/foo]")
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await pilot.press("4")
        await shows(pilot, "[@click=app.quit]press[/] [/foo]")
        app.notify("[@click=app.quit]told[/] [/foo] \x1b]52;c;x\x07")
        await shows(pilot, "[@click=app.quit]told[/] [/foo]")
        metas = [
            segment.style.meta for strip in app.screen._compositor.render_strips() for segment in strip if segment.style
        ]
        assert not any("@click" in meta for meta in metas)


async def test_what_is_printed_after_a_fault_is_inert(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = window(write_spec(tmp_path), tmp_path / "ws")

    def fail() -> None:
        raise ValueError(PAYLOAD)

    async def run() -> None:
        async with app.run_test(size=(100, 30)) as pilot:
            await until(pilot, lambda: app.session)
            app.call_later(fail)
            await until(pilot, lambda: not app.is_running)

    with pytest.raises(ValueError, match="pwned"):
        await run()
    told = capsys.readouterr().err
    assert "ValueError" in told and "pwned" in told
    assert [sequence for sequence in FORBIDDEN if sequence in told.encode()] == []


async def test_what_is_copied_holds_no_control_character(tmp_path: Path) -> None:
    """Whoever pastes it may be in a shell."""
    app = opened(tmp_path, 1)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.session is not None)
        await copy(app, "one\x1b[31m\u202etwo\r\nthree\tfour", "it")
        assert app.clipboard == "one\ufffd[31m\ufffdtwo\nthree\tfour"
        folder = tmp_path / "ws" / "harbour"
        assert (folder / "copied.txt").read_text() == f"{app.clipboard}\n"
