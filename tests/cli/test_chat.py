"""What is said to ``studio chat``: asked for on a terminal, read as it comes elsewhere."""

from __future__ import annotations

import io
import sys

import pytest

from studio.cli import chat
from studio.cli.chat import PROMPT, lines


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_asked_for_a_line_a_turn_until_quit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = iter(["Hello ", "", "I'm done", "/quit", "never read"])
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return next(said)

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(chat, "input", answer, raising=False)
    assert list(lines()) == ["Hello", "I'm done"]
    assert asked == [PROMPT] * 4 and "/quit" in capsys.readouterr().err


def test_the_end_of_input_ends_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def over(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(chat, "input", over, raising=False)
    assert list(lines()) == []


def test_a_script_is_asked_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("Hello\n\n /quit \n"))
    assert list(lines()) == ["Hello", "/quit"] and capsys.readouterr() == ("", "")
