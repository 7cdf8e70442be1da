"""The users of a persona by topic and type: the published topic/profile shape."""

from __future__ import annotations

from studio.chatml import Frozen
from studio.spec.models import Text


class UserType(Frozen):
    """One kind of user inside a topic, with a question that such a user asks."""

    example_type: Text
    example_background: Text
    example_query: Text


class Topic(Frozen):
    topic: Text
    example_types: tuple[UserType, ...]
