"""What an author answers with: one written conversation, the same for real models and the offline one."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from studio.chatml import Message, Messages

MOST_TURNS = 12
"""Longer conversations are refused: what is wanted is a situation, not a transcript."""


class AuthoredTurn(BaseModel):
    """One turn as an author writes it: there is no system turn to write."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["user", "assistant"]
    content: str = Field(description="What is said, and nothing else")


class Authored(BaseModel):
    """One conversation: ``user`` and ``assistant``, or ``messages`` where it takes several turns.

    Where a model fills both forms, ``messages`` counts. Valid ones begin with the user, take turns, end with the
    assistant and have no empty turn.
    """

    model_config = ConfigDict(extra="ignore")

    user: str | None = Field(default=None, description="The user's message; null where messages is used")
    assistant: str | None = Field(default=None, description="The persona's reply; null where messages is used")
    messages: list[AuthoredTurn] | None = Field(default=None, description="Several turns; null where there is one")

    @model_validator(mode="after")
    def _a_conversation(self) -> Self:
        turns = self.turns
        if not turns:
            raise ValueError("expected user and assistant, or messages")
        if len(turns) > MOST_TURNS:
            raise ValueError(f"expected at most {MOST_TURNS} messages")
        for index, turn in enumerate(turns):
            if turn.role != ("user", "assistant")[index % 2]:
                raise ValueError("messages begin with user and take turns")
            if not turn.content:
                raise ValueError(f"message {index + 1} is empty")
        if turns[-1].role != "assistant":
            raise ValueError("the last message must be the assistant's")
        return self

    @property
    def turns(self) -> Messages:
        """The conversation, white space around each turn taken off; empty where neither form is filled."""
        if self.messages:
            return tuple(Message(role=turn.role, content=turn.content.strip()) for turn in self.messages)
        if self.user is None or self.assistant is None:
            return ()
        return (
            Message(role="user", content=self.user.strip()),
            Message(role="assistant", content=self.assistant.strip()),
        )

    @classmethod
    def of(cls, turns: Messages) -> Authored:
        """The value for a conversation that is already there, in its short form where it has two turns."""
        if len(turns) == 2:
            return cls(user=turns[0].content, assistant=turns[1].content)
        return cls(messages=[AuthoredTurn.model_validate(turn.model_dump()) for turn in turns])
