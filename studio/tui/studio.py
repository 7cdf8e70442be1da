"""What screens, dialogs and widgets may ask of the app, so that none of them imports it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from textual.dom import DOMNode
    from textual.notifications import SeverityLevel
    from textual.screen import Screen

    from studio.build import Session
    from studio.doctor import Environment
    from studio.errors import UserError
    from studio.llm import ModelSettings
    from studio.spec import LoadedSpec
    from studio.store import Filter
    from studio.tui.live.bridge import Snapshot
    from studio.tui.live.state import Memory
    from studio.tui.live.threads import Disk
    from studio.tui.stages import Mark


class Studio(Protocol):
    """One spec in one workspace, and the window on them."""

    HELD_S: ClassVar[float]
    disk: Disk
    spec_path: Path
    root: Path
    """The folder of the workspaces."""
    environment: Environment
    loaded: LoadedSpec | None
    """The last spec that was valid; None before the first."""
    spec_problem: UserError | None
    """What is wrong with the spec as it stands in its file."""
    session: Session | None
    """None until the spec is valid and the workspace is open."""
    session_problem: UserError | None
    memory: Memory | None
    snapshots: dict[str, Snapshot]
    """The newest job of each stage that has one."""
    marks: dict[str, Mark]
    """How each stage stands."""
    next_step: str
    """What to do next, as ``Next: evaluate run 7d22 (6 s)``; empty before it is known."""
    version: int
    """Of the store: changes when any process changed an example, a decision or a person."""

    @property
    def active_stage(self) -> Screen[None] | None:
        """The stage's screen, below whatever dialog is open on it; None while the window opens or closes."""

    def hold_keys(self, holder: object, at_most: float | None = None) -> None:
        """What the next key meets depends on ``holder``: hand none out until it frees them, at the longest for
        ``at_most`` seconds (HELD_S)."""

    def free_keys(self, holder: object) -> None:
        """``holder`` is done, if it held any."""

    def tell(self, message: str | UserError, severity: SeverityLevel = "information") -> None:
        """One line for a person. A UserError is shown with its remedy, as an error."""

    def wake(self) -> None:
        """Let the bridge look now: something was just started, stopped or written."""

    async def reopen(self) -> None:
        """Load the spec as it is now, and open its workspace."""

    async def use_models(self, settings: ModelSettings) -> None:
        """Write and judge with other models from now on, until the window is closed."""

    async def look_at(self, example_id: str) -> None:
        """Show an example in triage."""

    async def look_through(self, wanted: Filter) -> None:
        """Show the examples that pass a filter in triage."""

    def copy_to_clipboard(self, text: str) -> None: ...

    def suspend(self) -> AbstractContextManager[None]: ...


def studio_of(node: DOMNode) -> Studio:
    """The app that a screen or a widget is in."""
    app: Any = node.app
    return app  # type: ignore[no-any-return]
