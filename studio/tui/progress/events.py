"""A job's events as the values that their stage made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from studio.jobs.types import Event

T = TypeVar("T", bound=BaseModel)


def parsed(events: Sequence[Event], *models: type[T]) -> Iterator[T]:
    """Those of the kinds of ``models``, in their order. One that does not validate, as of a job that another version
    of the studio ran, is passed over like one of another kind."""
    kinds = {model.model_fields["kind"].default: model for model in models}
    for event in events:
        model = kinds.get(event.kind)
        if model is not None:
            try:
                value = model.model_validate(event.data)
            except ValidationError:
                continue
            yield value
