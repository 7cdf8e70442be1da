"""Which examples a list shows."""

from __future__ import annotations

import json
from typing import Any

from studio.chatml import Frozen, Unicode
from studio.store import search
from studio.store.records import Status

_COLUMNS = ("status", "category", "scenario", "person_id", "spec_hash")


class Filter(Frozen):
    """All that is given has to hold; nothing given lets everything through. Lists are in the order of arrival."""

    status: Status | None = None
    category: Unicode | None = None
    scenario: Unicode | None = None
    person_id: Unicode | None = None
    reason: Unicode | None = None
    """Why it stands rejected: one of the judge's reasons, or of the person's."""
    text: Unicode | None = None
    """Words that the conversation holds as it stands; each may be the beginning of a word."""
    ids: tuple[Unicode, ...] | None = None
    decided: bool | None = None
    """Whether a person's decision stands."""
    spec_hash: Unicode | None = None
    """The spec that it was judged by; that it was written by, while it is unjudged."""


def condition(wanted: Filter, *, one_by_one: bool = False) -> tuple[str, list[Any]]:
    """The filter as SQL over ``standings``, and its parameters.

    ``one_by_one`` makes the form that is quick for a few rows instead of the one that is quick for all; it leaves
    ``ids`` to the caller.
    """
    parts: list[str] = []
    values: list[Any] = []
    for column in _COLUMNS:
        value = getattr(wanted, column)
        if value is not None:
            parts.append(f"{column} = ?")
            values.append(value)
    if wanted.decided is not None:
        parts.append(f"decision IS {'NOT ' if wanted.decided else ''}NULL")
    if wanted.reason is not None:
        parts.append("standings.seq IN (SELECT seq FROM reasons WHERE reason = ?)")
        values.append(wanted.reason)
    if wanted.text:
        if one_by_one:
            parts.append("EXISTS (SELECT 1 FROM search WHERE search MATCH ? AND rowid = standings.seq)")
        else:
            parts.append("standings.seq IN (SELECT rowid FROM search WHERE search MATCH ?)")
        values.append(search.query(wanted.text))
    if wanted.ids is not None and not one_by_one:
        parts.append("standings.seq IN (SELECT seq FROM examples WHERE id IN (SELECT value FROM json_each(?)))")
        values.append(json.dumps(wanted.ids))
    return " AND ".join(parts) or "1", values
