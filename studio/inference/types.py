"""What a run over many items is asked and tells: ids, outcomes and counts; the store has what was made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from studio.chatml import Frozen
from studio.llm import ModelSettings, Waiting


class Record(Frozen):
    """What a run makes of one item, as the store keeps it. ``id`` is the same in every run of the same task."""

    model_config = ConfigDict(extra="ignore")  # read from our own disk

    id: str

    @property
    def title(self) -> str:
        """One line for a list."""
        return self.id

    @property
    def page(self) -> dict[str, str]:
        """All of it for a person, label to text, in the order in which it is read."""
        return {name: str(value) for name, value in self.model_dump().items() if value not in (None, "", (), [], {})}


class ItemsParams(Frozen):
    """What every job over items is asked. ``workspace`` is the root folder of the workspaces."""

    spec_path: str
    workspace: str
    settings: ModelSettings = ModelSettings()
    seed: int = Field(default=0, ge=0)
    concurrency: int | None = Field(default=None, ge=1)
    """Items under way at once; None follows what the endpoints bear."""


class ItemsStarted(Frozen):
    kind: Literal["items_started"] = "items_started"
    task: str
    model: str
    wanted: int
    known: int
    """Made by an earlier start of the same run."""
    note: str = ""


class ItemMade(Frozen):
    """``reason`` is why it does not count; empty where it does."""

    kind: Literal["item_made"] = "item_made"
    id: str
    reason: str = ""


class ItemFailed(Frozen):
    """The model gave nothing. Asked again at the next start, where it was not given up for good."""

    kind: Literal["item_failed"] = "item_failed"
    id: str
    error: str


class ItemsProgressed(Frozen):
    """At most twice a second. ``cost_usd`` is what this start has paid, None where a price is unknown."""

    kind: Literal["items_progressed"] = "items_progressed"
    task: str
    done: int
    wanted: int
    removed: int
    errors: int
    reasons: dict[str, int]
    cost_usd: float | None
    rate: float
    """Items a second, over the last half minute."""
    eta_s: float | None
    stopping: bool = False
    under_way: int = 0
    waiting: Waiting | None = None
    """What holds the calls up; None where nothing does."""

    @property
    def flow(self) -> str:
        """The same in one line for a person; empty where nothing does."""
        if self.stopping:
            return f"stopping, {self.under_way} answer{'' if self.under_way == 1 else 's'} awaited"
        return self.waiting.line(datetime.now(UTC)) if self.waiting is not None else ""


class ItemsFinished(Frozen):
    """``complete`` is False where it was stopped or ended early; ``note`` says why."""

    kind: Literal["items_finished"] = "items_finished"
    task: str
    done: int
    wanted: int
    known: int
    removed: int
    reasons: dict[str, int]
    errors: int
    calls: int
    """Answers that were paid for since this start; those on record from before cost nothing."""
    cost_usd: float | None
    seconds: float
    complete: bool
    note: str = ""


ItemsEvent = Annotated[
    ItemsStarted | ItemMade | ItemFailed | ItemsProgressed | ItemsFinished, Field(discriminator="kind")
]
