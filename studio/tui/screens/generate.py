"""Examples as they are made: how far each category is, at what rate and cost, and every row with its score."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from studio.build import Session
from studio.build.authors import generate_entry
from studio.build.stages import scenarios, standing, wanted_examples
from studio.generate import GenerateParams
from studio.generate.types import CategoryTarget
from studio.store import Filter
from studio.tui.dialogs.reading import Text
from studio.tui.keys import bindings
from studio.tui.live.progress import GenerateProgress
from studio.tui.screens.author_list import AuthorList
from studio.tui.screens.authoring import Authoring
from studio.tui.screens.generate_balance import balance_lines
from studio.tui.screens.generate_reasons import reasons_told
from studio.tui.screens.job_stage import job_failed, job_state
from studio.tui.screens.stage import Beside
from studio.tui.text import UNKNOWN, Part, cells, cost, counted, duration, join, line, lines, rate, share
from studio.tui.widgets.layout import coverage, facts
from studio.tui.widgets.page import Page
from studio.tui.widgets.row_line import SIGNS_TOLD
from studio.tui.widgets.row_list import RowBox, RowList
from studio.tui.widgets.status import Title
from studio.tui.widgets.virtual_list import VirtualList

EMPTY = "No examples yet. Press s to generate."
DECIDE = "for your decision (4)"
"""How the note of a job tells of what waits, which is counted anew here: people decide after it has ended."""


@dataclass(frozen=True)
class Standing:
    """What the store holds, at one moment."""

    targets: tuple[CategoryTarget, ...] = ()
    reasons: tuple[tuple[str, int], ...] = ()
    earlier: int = 0
    """Examples that an earlier version of the spec or of the judge judged; they are judged again before new ones are
    made."""

    @property
    def wanted(self) -> int:
        return sum(one.target for one in self.targets)

    @property
    def accepted(self) -> int:
        return sum(one.accepted for one in self.targets)

    @property
    def counting(self) -> int:
        """Accepted ones that a target takes: what is beyond it in one category is missing in another all the same."""
        return sum(min(one.accepted, one.target) for one in self.targets)

    @property
    def rejected(self) -> int:
        return sum(one.rejected for one in self.targets)

    @property
    def pending(self) -> int:
        return sum(one.pending for one in self.targets)

    @property
    def made(self) -> int:
        return self.accepted + self.rejected + self.pending

    @property
    def complete(self) -> bool:
        return self.wanted > 0 and all(one.accepted >= one.target for one in self.targets)


class GenerateScreen(Beside, Authoring):
    """Coverage and figures above, rows below; all of it is read from the store, so that a restart shows the same."""

    SIGNS = SIGNS_TOLD
    CSS_PATH = "generate.tcss"
    BINDINGS = [*bindings("job"), *bindings("generate")]

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._standing = Standing()
        self._version = -1
        self._open: Session | None = None

    def body(self) -> ComposeResult:
        yield Title()
        with Horizontal(id="figures"):
            yield Page(id="coverage", classes="beside")
            yield Page(id="numbers", classes="beside")
        yield AuthorList(id="authors")
        with RowBox():
            yield RowList(id="rows", empty=EMPTY, follow=True, opens=True)

    def on_mount(self) -> None:
        for page in self.query(Page):
            page.can_focus = False
        self.query_one("#rows").focus()

    def back(self) -> None:
        if self.authors_shown:
            self.hide_authors()

    def sync(self) -> None:
        if self._open is not self.session:
            before, self._open, self._version = self._open, self.session, -1
            if before is None or before.workspace is not self.session.workspace:
                self.query_one(RowList).open(self.session.workspace.examples, Filter())
        if self._version != self.studio.version:
            self._version = self.studio.version
            self.query_one(RowList).renew()
            self.run(self._read(), "standing", exclusive=True)
        self._show()

    async def _read(self) -> None:
        self._standing = await self.studio.disk.read(read_standing, self.session)
        nothing = not self._standing.made and not self._standing.earlier
        if self.nobody_writes and nothing and not self.authors_shown:
            self.show_authors()
        self._show()

    def _show(self) -> None:
        progress: GenerateProgress = (self.job and self.job.progress) or GenerateProgress()
        now = self._standing
        alive = self.job is not None and self.job.alive
        self.query_one(Title).show(self._title(progress, now), whole=not alive)
        self.query_one("#coverage", Page).show(lambda width: coverage_lines(now, width), from_top=False)
        self.query_one("#numbers", Page).show(lambda width: numbers(now, progress, width, alive), from_top=False)

    def _title(self, progress: GenerateProgress, now: Standing) -> Content:
        state = job_state(self.job, "not started")
        if job_failed(self.job):
            return state
        alive = self.job is not None and self.job.alive
        if alive:
            return join(state, "  ", self._while_it_runs(progress, now))
        stopped = self.job is not None and self.job.view.state == "stopped"
        nobody = self.nobody_writes
        return join(state, "  ", what_next(progress, now, stopped=stopped, judged=self._judged, nobody=nobody))

    @property
    def _judged(self) -> bool:
        """Whether a model judges: what is pending is then judged before anybody has to decide."""
        return not self.session.settings.offline

    def _while_it_runs(self, progress: GenerateProgress, now: Standing) -> Content:
        again = f", judging {counted(now.earlier, 'example')} again" if now.earlier else ""
        return join((f"{progress.author}, {progress.judge}{again}" if progress.author else "", "$quiet"))

    def action_start(self) -> None:
        session, now = self.session, self._standing
        usable = self.studio.spec_problem is None  # else that is what launching tells
        if usable and self.nobody_writes and not now.earlier and not now.pending:
            self.studio.tell("nobody is there to write examples: choose who does")
            self.show_authors()
            return
        params = GenerateParams(
            spec_path=str(session.loaded.path),
            workspace=str(session.root),
            settings=session.settings,
            seed=session.seed,
            examples=wanted_examples(session),
        )
        self.launch_entry(generate_entry(session.settings), params)

    def action_balance(self) -> None:
        self.run(self._show_balance(), keys_wait=True)

    async def _show_balance(self) -> None:
        found = await self.studio.disk.read(scenarios, self.session)
        self.app.push_screen(Text("Scenarios", lambda width: balance_lines(found, width)))

    @on(VirtualList.Chosen, "#rows")
    async def action_look(self) -> None:
        """Open the row in triage."""
        row = self.query_one(RowList).current
        if row is not None:
            await self.studio.look_at(row.example.id)


def what_next(
    progress: GenerateProgress, now: Standing, *, stopped: bool = False, judged: bool = False, nobody: bool = False
) -> Content:
    """What to do about examples while none are being made. ``stopped``: by a person, who needs no reason told.

    ``judged``: a model judges what is pending; ``nobody``: none is there to write.
    """
    if now.earlier:
        told = f"the spec or the judge was changed: press s to judge {counted(now.earlier, 'example')} again"
        return join((told, "$warning"))
    note = progress.finished.note if progress.finished and not stopped else ""
    waits = [waiting(now.pending)] if now.pending and not judged else []
    if note := note.partition(f"{DECIDE}; ")[2] or ("" if note.endswith(DECIDE) else note):
        waits.append(note)
    if waits:
        return join(("; ".join(waits), "$warning"))
    if now.complete:
        return join("every category is at its target; 4 reviews them, 5 trains")
    if nobody:
        return join(("nobody is there to write examples: w shows who could", "$warning"))
    return join(("press s to resume" if now.accepted else "press s to start", "$quiet"))


def waiting(pending: int) -> str:
    """``1 example waits for your decision (4)``."""
    return f"{counted(pending, 'example')} {'waits' if pending == 1 else 'wait'} {DECIDE}"


def read_standing(session: Session) -> Standing:
    """Reads the store."""
    examples = session.workspace.examples
    earlier = examples.count() - examples.count(Filter(spec_hash=session.loaded.hash))
    return Standing(standing(session), reasons_told(examples), earlier)


def coverage_lines(now: Standing, width: int) -> Content:
    """A bar a category."""
    name_width = max((cells(one.category) for one in now.targets), default=0)
    return lines(coverage(one.category, one.accepted, one.target, width, name_width=name_width) for one in now.targets)


def numbers(now: Standing, progress: GenerateProgress, width: int, alive: bool) -> Content:
    """The figures, and what was rejected for which reason; errors stand apart from rejects."""
    beyond = now.accepted - now.counting
    speed = f"{rate(progress.rate)}, {duration(progress.eta_s)} left" if alive else f"{rate(progress.rate)} at the end"
    pairs: list[tuple[str, Part]] = [
        ("accepted", join((f"{now.counting}", "bold"), f" of {now.wanted}", f", +{beyond}" if beyond else "")),
        ("passed", f"{share(now.accepted, now.accepted + now.rejected)} of {now.made} made"),
        ("rate", speed if progress.rate else UNKNOWN),
        ("cost", cost(progress.cost_usd)),
        ("errors", join((f"{progress.errors} calls", "$error"), " ", progress.last_error) if progress.errors else "0"),
        ("earlier", join((f"{now.earlier} of an earlier spec or judge", "$warning")) if now.earlier else ""),
        ("pending", (f"{now.pending} to decide (4)" if now.pending else "", "$warning")),
        ("rejected", f"{now.rejected}"),
    ]
    told = [join((f"{count:>5} ", "$quiet"), line(reason)) for reason, count in now.reasons]
    return lines([facts(pairs, width, name_width=9), *told])
