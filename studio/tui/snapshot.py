"""What crosses from the bridge to the screens: frozen values, the newest of which replaces those before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from textual.message import Message

from studio.errors import UserError

if TYPE_CHECKING:
    from studio.jobs import Job
    from studio.jobs.types import JobView

Mark = Literal["done", "running", "needs", "failed", "none"]
"""Of a stage: see ``MARKS_TOLD``."""

MARKS: dict[Mark, str] = {"done": "✓", "running": "▸", "needs": "!", "failed": "✗", "none": " "}
MARKS_TOLD: dict[Mark, str] = {
    "done": "the stage has what it makes",
    "running": "its job runs",
    "needs": "it is the next that wants somebody",
    "failed": "quality gates are not passed",
}
ALIVE = ("starting", "running", "stopping")


@dataclass(frozen=True)
class Snapshot:
    """A stage's newest job. ``progress`` is folded from its events by the stage's own ``progress`` module."""

    stage: str
    job: Job
    view: JobView
    progress: Any = None

    @property
    def alive(self) -> bool:
        return self.view.state in ALIVE

    def asked(self, name: str) -> str:
        """One of the words that the job was asked with; empty where there is no such."""
        value = self.view.request.params.get(name)
        return value if isinstance(value, str) else ""

    @property
    def run_id(self) -> str:
        """The training run that the job makes or works on; empty where it is about none."""
        plan = self.view.request.params.get("plan")
        return str(plan.get("run_id", "")) if isinstance(plan, dict) else self.asked("run_id")

    @property
    def brief(self) -> str:
        """For the status line; empty unless it runs."""
        told: str = getattr(self.progress, "brief", "") if self.alive else ""
        return f"{self.stage} {told or self.view.state}" if self.alive else ""


class JobMoved(Message):
    """A stage's job has new events, another state, or is another job."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, JobMoved) and message.snapshot.stage == self.snapshot.stage


class StoreMoved(Message):
    """Some process changed the examples, or a stage got another mark."""

    def __init__(self, version: int, marks: dict[str, Mark]) -> None:
        super().__init__()
        self.version, self.marks = version, marks

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, StoreMoved)


class LookFailed(Message):
    """The workspace could not be read, as where its studio.json is damaged. What was read before stands."""

    def __init__(self, error: UserError) -> None:
        super().__init__()
        self.error = error
