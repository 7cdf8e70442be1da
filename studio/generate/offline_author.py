"""The author that needs no model: it writes from what the spec holds, behind the interface of a real one."""

from __future__ import annotations

from studio.generate.offline.writer import Writer
from studio.generate.schema import Authored
from studio.generate.types import AuthorBrief
from studio.llm import ChatModel, ModelError, OfflineModel, Request
from studio.spec import LoadedSpec

NAME = "offline author"


def offline_author(loaded: LoadedSpec) -> ChatModel:
    """An author for the spec of ``loaded``, called ``offline author``; its answers are :class:`Authored`.

    It wants an :class:`AuthorBrief` in the request and depends on nothing else. It raises ModelError ``too_little``
    where the spec has no example to write a scenario from, ``malformed`` for another brief.
    """
    writer = Writer(loaded)

    def answer(request: Request) -> Authored:
        if not isinstance(request.brief, AuthorBrief):
            raise ModelError("malformed", f"{NAME}: it writes from an AuthorBrief, and nothing else")
        return Authored.of(writer.written(request.brief))

    return OfflineModel(NAME, answer)
