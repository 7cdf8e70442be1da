"""Messages hold text that every file and every server takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.chatml import Message, user, well_formed


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("plain, and \U0001f642", "plain, and \U0001f642"),
        ("\ud83d\ude42", "\U0001f642"),
        ("\ud83d alone", "\ufffd alone"),
        ("a byte \udcff of a command line", "a byte \ufffd of a command line"),
    ],
)
def test_halves_of_characters_are_joined_or_replaced(written: str, kept: str) -> None:
    assert user(written).content == kept


@given(st.text(st.characters()), st.text(st.characters(categories=["Cs"])))
def test_whatever_was_written_can_be_stored_and_read_back(text: str, halves: str) -> None:
    message = user(text + halves + text)
    assert Message.model_validate_json(message.model_dump_json()) == message
    assert well_formed(message.content) == message.content
