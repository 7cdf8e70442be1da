"""The people who talk to the persona: a list, the one under the cursor, and a job that makes more."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content

from studio.bank import MOST_BUILT, BankParams, Heads, heads
from studio.errors import UserError
from studio.store.records import Person
from studio.tui.dialogs.questions import Ask, Confirm
from studio.tui.keys import bindings
from studio.tui.live.progress import BankProgress
from studio.tui.live.state import Value
from studio.tui.screens.job_stage import JobStage, job_state
from studio.tui.text import clip, counted, join, line, pad
from studio.tui.widgets.layout import facts
from studio.tui.widgets.page import Page
from studio.tui.widgets.status import Title
from studio.tui.widgets.virtual_list import VirtualList

SOURCES = {
    "": "in all",
    "profiles": "from the spec's profiles",
    "bank": "in the bank",
    "recorded": "from the recording",
    "hand": "from examples by hand",
}
EMPTY = "Nobody yet. Press s to compose people; without a bank, generating composes some of its own."
NONE_OF = {"": EMPTY, "bank": EMPTY, "profiles": "The spec's profiles made nobody yet. f shows others."}
NOBODY_ELSE = "Nobody came from there yet. f shows others."
HOW_MANY = "How many composed people should the bank have?"
HOW_MANY_NOTE = (
    "Composed of work, age, family, place and habits that fit each other. Those of the spec's profiles are beside"
    " them, and so are those who came with generating."
)
REMOVE = "Remove the people of the bank?"
REMOVE_NOTE = (
    "Those whom an example refers to stay. Composing again makes the same people; imported ones are imported again."
)


class BankScreen(JobStage):
    """Everybody is read at once: a person is a kilobyte, and a bank holds some thousands."""

    CSS_PATH = "bank.tcss"
    BINDINGS = [*bindings("job"), *bindings("bank")]

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._headline = Title()
        self._list = VirtualList(self._draw, id="people", empty=EMPTY)
        self._page = Page(id="person", classes="detail")
        self._people: list[Person] = []
        self._heads = Heads()
        self._source = self._words = ""
        self._wanted = ""
        """The id of the person to stand on when the list has been read."""
        self._read_for: object = None

    def body(self) -> ComposeResult:
        yield self._headline
        with Container(id="split"):
            yield self._list
            yield self._page

    def on_mount(self) -> None:
        self._list.focus()

    def recall(self, state: dict[str, Value]) -> None:
        self._people = []
        self._list.set_count(0)
        self._source = str(state.get("source") or "")
        self._wanted = str(state.get("person") or "")

    def remember(self) -> dict[str, Value]:
        person = self._person()
        return {"source": self._source, "person": person.id if person else ""}

    def sync(self) -> None:
        self._show_title()
        wanted = self.session.workspace, self.studio.version
        if wanted != self._read_for:
            self._read_for = wanted
            self.run(self._read(), "read", exclusive=True)

    async def _read(self) -> None:
        source = self._source
        found = await self.studio.disk.read(self.session.workspace.examples.people, source or None)
        origins = await self.studio.disk.read(heads, found)
        if source != self._source:
            return
        here = self._person()
        wanted, self._wanted = self._wanted or (here.id if here else ""), ""
        self._people, self._heads = found, origins
        self._list.empty = NONE_OF.get(source, NOBODY_ELSE)
        self._list.set_count(len(found))
        self._list.move_to(next((index for index, one in enumerate(found) if one.id == wanted), self._list.cursor))
        self._show_title()
        self._show_person()

    def _show_title(self) -> None:
        progress: BankProgress = (self.job and self.job.progress) or BankProgress()
        building = progress.people > 0 and progress.finished is None
        done = join("  ", (f"{progress.done} of {progress.people}", "$primary")) if building else ""
        origin = SOURCES[self._source] if self._source else self._heads.told
        number = counted(len(self._people), "person", "people")
        who = join((number, "bold"), f"  {origin}  " if origin else "  ", ("bank ", "$quiet"))
        self._headline.show(join(who, job_state(self.job, "never built"), done), whole=True)

    def _draw(self, index: int, width: int) -> Content:
        person = self._people[index]
        name, role = pad(person.name or person.topic, 18), pad(person.profession or person.role, 26)
        rest = clip(person.background or person.query, max(width - 19 - 27, 0))
        return join(name, " ", role, " ", (rest, "$quiet"))

    @on(VirtualList.Moved, "#people")
    def _show_person(self) -> None:
        person = self._person()
        self._page.show(Content("") if person is None else lambda width: person_page(person, width))

    def _person(self) -> Person | None:
        return self._people[self._list.cursor] if self._list.cursor < len(self._people) else None

    def action_start(self) -> None:
        self.app.push_screen(Ask(HOW_MANY, "200", note=HOW_MANY_NOTE, check=number_of_people), self._build)

    def _build(self, answer: str | None) -> None:
        if answer is not None:
            spec, root, seed = str(self.session.loaded.path), str(self.session.root), self.session.seed
            params = BankParams(spec_path=spec, workspace=root, count=number_of_people(answer), seed=seed)
            self.launch_entry("studio.bank.job:main", params)

    def action_remove(self) -> None:
        """Forget the people of the bank, but for those whom an example names."""
        if self.job and self.job.alive:
            self.studio.tell("the bank is being built: S stops it")
        else:
            self.app.push_screen(Confirm(REMOVE, REMOVE_NOTE), self._remove)

    def _remove(self, sure: bool | None) -> None:
        if sure:
            self.run(self._removed(), "remove", keys_wait=True)

    async def _removed(self) -> None:
        count = await self.studio.disk.write(self.session.workspace.examples.remove_unused_people, "bank")
        self.studio.tell(f"{counted(count, 'person', 'people')} removed")
        await self._read()

    def action_filter(self) -> None:
        sources = [*SOURCES]
        self._source = sources[(sources.index(self._source) + 1) % len(sources)]
        self._show_title()
        self.run(self._read(), "read", exclusive=True, keys_wait=True)

    def action_search(self) -> None:
        self.app.push_screen(Ask("Find people", self._words), self._search)

    def _search(self, answer: str | None) -> None:
        if answer is not None:
            self._words = answer.lower()
            self.action_next()

    def action_next(self, step: int = 1) -> None:
        """To the next person, or the one before, of whom anything has the words."""
        count = len(self._people)
        for place in ((self._list.cursor + step * away) % count for away in range(1, count + 1)):
            one = self._people[place]
            texts = one.name, one.profession, one.role, one.topic, one.background, one.chatting_style, one.query
            if self._words and self._words in " ".join(texts).lower():
                self._list.move_to(place)
                return
        self.studio.tell(f"nobody has {self._words}" if self._words else "press / and say what to find")

    def action_previous(self) -> None:
        self.action_next(-1)


def number_of_people(text: str) -> int:
    """Raises UserError for what is none, or more than a bank is made for."""
    if not text.strip().isdecimal():
        raise UserError("that is no number of people")
    if int(text) > MOST_BUILT:
        raise UserError(f"a bank has {MOST_BUILT} composed people at most")
    return int(text)


def person_page(person: Person, width: int) -> Content:
    """All that is known of a person."""
    pairs = {
        "name": person.name,
        "role": person.role,
        "profession": person.profession,
        "place": person.place,
        "age": "" if person.age is None else str(person.age),
        "traits": ", ".join(person.traits),
        "topic": person.topic,
        "background": person.background,
        "writes": person.chatting_style,
        "asks": person.query,
        "source": SOURCES[person.source],
        "made by": ", ".join(part for part in (person.method, person.origin, person.model) if part),
        "id": person.id,
    }
    return facts(((name, line(value)) for name, value in pairs.items()), width)
