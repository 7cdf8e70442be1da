"""Queries for a chatbot: made of topics and people, compared with naive ones, asked, judged, and talked over."""

from studio.queries.types import (
    MOST_TURNS,
    Answered,
    Arm,
    Asking,
    AskParams,
    Chatbot,
    MakeParams,
    Mark,
    Query,
    query_kind,
)

__all__ = [
    "MOST_TURNS",
    "Answered",
    "Arm",
    "AskParams",
    "Asking",
    "Chatbot",
    "MakeParams",
    "Mark",
    "Query",
    "query_kind",
]
