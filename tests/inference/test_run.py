"""A run over many items: stored before told, resumed by ids, ended by a server that is gone and by nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from studio.inference import (
    CountedCalls,
    Item,
    ItemFailed,
    ItemMade,
    ItemsEvent,
    ItemsFinished,
    Made,
    Record,
    run_items,
)
from studio.llm import ModelError
from studio.store import Workspace


class Word(Record):
    text: str


class Maker:
    """Items ``0``, ``1`` ... and whatever ``fails`` or is ``worn`` among them."""

    def __init__(self, fails: dict[int, ModelError] | None = None, worn: Sequence[int] = ()) -> None:
        self._fails, self._worn = fails or {}, worn
        self.asked: list[int] = []

    def items(self, count: int = 10) -> Iterator[Item]:
        for number in range(count):
            yield Item(str(number), lambda number=number: self._make(number))  # type: ignore[misc]

    async def _make(self, number: int) -> Made:
        self.asked.append(number)
        if number in self._fails:
            raise self._fails[number]
        return Made(Word(id=str(number), text=f"word {number}"), "worn" if number in self._worn else "")


async def told(
    workspace: Workspace,
    maker: Maker,
    wanted: int,
    *,
    stop: Callable[[], bool] = lambda: False,
    at_once: int = 4,
    retry_failed: bool = False,
) -> list[ItemsEvent]:
    events: list[ItemsEvent] = []
    run = run_items(
        *("words", "word", maker.items(), wanted, workspace.documents, CountedCalls(workspace.examples)),
        model="m",
        stop=stop,
        concurrency=lambda: at_once,
        retry_failed=retry_failed,
    )
    async for event in run:
        events.append(event)
    return events


def finished(events: Sequence[ItemsEvent]) -> ItemsFinished:
    assert isinstance(events[-1], ItemsFinished)
    return events[-1]


async def test_as_many_count_as_are_wanted_and_what_does_not_count_is_kept_with_its_reason(tmp_path: Path) -> None:
    workspace, maker = Workspace.open(tmp_path, "p"), Maker(worn=(1, 2))
    end = finished(await told(workspace, maker, 4))
    assert (end.done, end.removed, end.reasons, end.complete) == (4, 2, {"worn": 2}, True)
    assert [one.text for one in workspace.documents.all("word", Word)] == ["word 0", "word 3", "word 4", "word 5"]
    assert maker.asked == [0, 1, 2, 3, 4, 5]
    assert sorted(workspace.documents.ids("word removed")) == ["1", "2"]


async def test_a_second_run_makes_only_what_is_missing(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "p")
    await told(workspace, Maker(worn=(1,)), 3)
    again = Maker(worn=(1,))
    end = finished(await told(workspace, again, 5))
    assert (end.known, end.done, end.removed, again.asked) == (3, 5, 1, [4, 5])


async def test_an_item_is_in_the_store_when_it_is_told(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "p")
    run = run_items(
        *("words", "word", Maker().items(), 3, workspace.documents, CountedCalls(workspace.examples)),
        model="m",
        stop=lambda: False,
    )
    async for event in run:
        if isinstance(event, ItemMade):
            assert workspace.documents.get("word", event.id, Word) is not None


async def test_after_a_stop_nothing_begins_and_the_note_says_how_to_go_on(tmp_path: Path) -> None:
    workspace, maker = Workspace.open(tmp_path, "p"), Maker()
    end = finished(await told(workspace, maker, 8, stop=lambda: len(maker.asked) >= 2, at_once=2))
    assert (end.done, end.complete, maker.asked) == (2, False, [0, 1])
    assert end.note == "stopped, 6 are missing; the same command goes on"


async def test_a_refusal_is_given_up_for_good_and_asked_again_where_that_is_wanted(tmp_path: Path) -> None:
    workspace, refused = Workspace.open(tmp_path, "p"), {1: ModelError("refused", "no")}
    events = await told(workspace, Maker(refused), 10)
    assert finished(events).done == 9 and [one.id for one in events if isinstance(one, ItemFailed)] == ["1"]
    again = Maker()
    assert finished(await told(workspace, again, 10)).done == 9 and again.asked == []
    assert finished(await told(workspace, again, 10, retry_failed=True)).done == 10 and again.asked == [1]


async def test_refusals_never_end_a_run_and_a_server_that_is_gone_does(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "p")
    refused = {number: ModelError("refused", "no") for number in range(30)}
    events = []
    run = run_items(
        *("words", "word", Maker(refused).items(31), 31, workspace.documents, CountedCalls(workspace.examples)),
        model="m",
        stop=lambda: False,
    )
    async for event in run:
        events.append(event)
    assert finished(events).done == 1

    gone = Maker({number: ModelError("server", "gone") for number in range(40)})
    end: list[ItemsEvent] = []

    async def to_its_end() -> None:
        async for event in run_items(
            *("words", "other", gone.items(40), 40, workspace.documents, CountedCalls(workspace.examples)),
            model="m",
            stop=lambda: False,
            concurrency=lambda: 1,
        ):
            end.append(event)

    with pytest.raises(ModelError, match="gone"):
        await to_its_end()
    assert len(gone.asked) == 10 and "the model failed, 40 are missing" in finished(end).note
