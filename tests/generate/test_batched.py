"""Generating in batches: submitted, left, collected, judged in a batch of its own, at half the price, paid once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.errors import UserError
from studio.generate import GenerateFinished, GenerateParams, generate
from studio.generate.batched import BatchStep, cancel_batches, generate_in_batches
from studio.generate.submissions import FOLDER, BatchStands, away
from studio.llm import ModelError, Submitted
from studio.llm.batch import TABLE
from studio.llm.reservations import FOLDER as RESERVED
from studio.llm.reservations import Reservations, reservations_at
from studio.store import Filter, Workspace
from tests.generate.making import loaded_spec
from tests.generate.test_http import SCENARIOS, Model, params, spec
from tests.generate.test_spending import held
from tests.llm.fake_server import FakeServer
from tests.llm.faults import Status, Truncate


class Desk:
    """A workspace and a server; ``told`` is what a person was told."""

    def __init__(self, server: FakeServer, root: Path, asked: GenerateParams | None = None) -> None:
        self.server, self.asked = server, asked or params(server, root)
        self.workspace = Workspace.open(root, "tester")
        self.told: list[str] = []

    async def step(self, **params: Any) -> BatchStep:
        asked = self.asked.model_copy(update=params)
        return await generate_in_batches(spec(), self.workspace, asked, self.told.append)

    async def cancel(self) -> tuple[BatchStands, ...]:
        return await cancel_batches(spec(), self.workspace, self.asked, self.told.append)

    async def to_its_end(self, most: int = 12) -> list[BatchStep]:
        steps = [await self.step()]
        while steps[-1].batches and len(steps) < most:
            steps.append(await self.step())
        return steps

    @property
    def keys(self) -> list[str]:
        """Of all requests that were submitted, in all batches."""
        return [line["custom_id"] for one in self.server.batches.all for line in self.server.batches.requests_of(one)]

    def paid_once(self) -> bool:
        bodies = [json.dumps(one["messages"]) for one in self.server.requests]
        return len(bodies) == len(set(bodies)) == self.workspace.examples.spent().calls


async def test_batches_of_author_and_judge_take_turns_until_the_targets_are_met(tmp_path: Path) -> None:
    async with FakeServer(Model()) as server:
        desk = Desk(server, tmp_path)
        first = await desk.step()
        (author,) = first.batches
        # One example of each was asked at once, so that what a model refuses is met before the batch.
        assert (author.role, author.total) == ("author", 9) and len(server.requests) == 2
        assert desk.told == ["author: 9 requests submitted to fake (batch_0)", "author: validating 0/9"]
        second = await desk.step()
        assert second.collected == 9 and [one.role for one in second.batches] == ["judge"]
        steps = await desk.to_its_end()
        assert steps[-1].complete and steps[-1].batches == ()
        assert desk.paid_once() and len(desk.keys) == len(set(desk.keys)) == 20
    counts = {one: desk.workspace.examples.count(Filter(status=one)) for one in ("accepted", "rejected", "pending")}
    assert counts == {"accepted": 10, "rejected": 1, "pending": 0}
    assert desk.workspace.studio.readable(TABLE, Submitted) == [] and not list(
        (desk.workspace.folder / FOLDER).glob("*.jsonl")
    )


async def test_while_it_is_in_progress_it_says_how_it_stands_and_asks_nothing(tmp_path: Path) -> None:
    async with FakeServer(Model()) as server:
        desk = Desk(server, tmp_path)
        await desk.step()
        server.batches.hold = True
        for _ in range(2):
            waiting = await desk.step()
            assert [(one.status, one.completed, one.total) for one in waiting.batches] == [("in_progress", 0, 9)]
        assert len(server.batches.all) == 1 and desk.told[-1] == "author: in_progress 0/9"
        with pytest.raises(UserError, match="9 requests to fake are answered in a batch"):
            await anext(generate(spec(), desk.workspace, desk.asked, lambda: False))
        server.batches.hold = False
        assert (await desk.to_its_end())[-1].complete and desk.paid_once()


async def test_answers_of_a_batch_cost_half(tmp_path: Path) -> None:
    async with FakeServer(Model()) as server:
        desk = Desk(server, tmp_path, held(server, tmp_path, None))
        await desk.to_its_end()
    async with FakeServer(Model()) as server:
        whole = Desk(server, tmp_path / "live", held(server, tmp_path / "live", None))
        _ = [event async for event in generate(spec(), whole.workspace, whole.asked, lambda: False)]
    batched, live = desk.workspace.examples.spending(), whole.workspace.examples.spending()
    assert batched["judge"].calls == live["judge"].calls == 11
    # One of the eleven judgements was asked at once; words a judgement are the same.
    assert batched["judge"].cost_usd == pytest.approx(live["judge"].cost_usd * (1 + 10 / 2) / 11, rel=0.02)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the server to end a batch."""
    monkeypatch.setattr("studio.generate.submissions.CANCEL_LOOK_S", 0.0)


@pytest.mark.usefixtures("hasty")
async def test_of_a_cancelled_batch_what_was_answered_is_kept_and_the_rest_forgotten(tmp_path: Path) -> None:
    async with FakeServer(Model()) as server:
        desk = Desk(server, tmp_path)
        await desk.step()
        server.batches.hold, server.batches.answered = True, 4
        (left,) = await desk.cancel()
        assert (left.id, left.status, desk.told[-1]) == ("batch_0", "cancelling", "author: cancelling 0/9")
        server.batches.hold = False
        assert await desk.cancel() == () and away(desk.workspace) == []
        assert desk.told[-1].startswith("author: cancelled, 4 of 9 answered; 5 forgotten")
        assert await desk.cancel() == ()
        end = [event async for event in generate(spec(), desk.workspace, desk.asked, lambda: False)][-1]
        assert isinstance(end, GenerateFinished) and end.complete
        assert desk.paid_once(), "what came is taken from the record"


@pytest.mark.usefixtures("hasty")
async def test_one_that_has_ended_before_it_is_cancelled_is_collected(tmp_path: Path) -> None:
    async with FakeServer(Model()) as server:
        desk = Desk(server, tmp_path)
        await desk.step()
        server.batches.hold = server.batches.too_late = True
        assert await desk.cancel() == () and desk.told[-1] == "author: completed, 9 of 9 answered"
        server.batches.all = {}
        desk.workspace.studio.put(TABLE, "author", Submitted.model_validate(LOST | {"place": server.url}))
        assert await desk.cancel() == () and "never submitted" in desk.told[-1] and away(desk.workspace) == []


LOST = {"token": "t", "model": "fake", "purpose": "author", "requests": 3, "at": "2026-01-01T00:00:00Z"}


async def test_how_a_batch_stood_when_it_was_last_looked_at_is_remembered(tmp_path: Path) -> None:
    async with FakeServer(Model()) as server:
        desk = Desk(server, tmp_path)
        await desk.step()
        (first,) = away(desk.workspace)
        server.batches.hold = True
        server.batches.all["batch_0"]["request_counts"]["completed"] = 3
        await desk.step()
        (then,) = away(desk.workspace)
    assert (first.batch_id, first.status, first.completed) == ("batch_0", "validating", 0)
    assert (then.status, then.completed, then.requests) == ("in_progress", 3, 9)
    assert first.heard is not None and then.heard is not None and first.at < first.heard < then.heard


async def test_a_submission_of_which_nothing_was_heard_is_found_and_not_paid_twice(tmp_path: Path) -> None:
    async with FakeServer(Model()) as server:
        desk = Desk(server, tmp_path)
        server.batches.loses_reply = True
        with pytest.raises(ModelError):
            await desk.step()
        assert len(server.batches.all) == 1 and desk.workspace.studio.get(TABLE, "author", Submitted) is not None
        for number in range(5):  # others' batches, of which the newest come first
            other = {**server.batches.all["batch_0"], "id": f"other_{number}", "metadata": None}
            server.batches.all[f"other_{number}"] = other
        found = await desk.step()
        assert [one.id for one in found.batches] == ["batch_0"]
        assert (await desk.step()).collected == 9
        assert sum(one["metadata"] is not None for one in server.batches.all.values()) == 2, "the author's, the judge's"


async def test_killed_before_it_was_submitted_it_is_submitted_from_its_file(tmp_path: Path) -> None:
    async with FakeServer(Model(), faults=[None, None]) as server:
        desk = Desk(server, tmp_path)
        server.batches.all = _Refusing()
        with pytest.raises(ModelError):
            await desk.step()
        server.batches.all = {}
        again = await desk.step()
        assert [one.total for one in again.batches] == [9] and len(server.batches.all) == 1
        assert (await desk.to_its_end())[-1].complete and desk.paid_once()


class _Refusing(dict[str, Any]):
    """As if the process had been killed while it submitted."""

    def __setitem__(self, key: str, value: Any) -> None:
        raise ConnectionResetError


async def test_killed_while_it_collects_it_records_each_answer_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FakeServer(Model()) as server:
        desk = Desk(server, tmp_path)
        await desk.step()
        with monkeypatch.context() as patched:
            patched.setattr(type(desk.workspace.studio), "remove", _killed)
            with pytest.raises(KeyboardInterrupt):
                await desk.step()
        assert desk.workspace.examples.spent().calls == 2 + 9
        assert (await desk.step()).collected == 9 and desk.workspace.examples.spent().calls == 2 + 9
        assert (await desk.to_its_end())[-1].complete and desk.paid_once()


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


async def test_a_failed_batch_is_told_and_submitted_again(tmp_path: Path) -> None:
    async with FakeServer(Model()) as server:
        desk = Desk(server, tmp_path)
        await desk.step()
        server.batches.ends = "failed"
        again = await desk.step()
        assert any("failed, 0 of 9 answered (enqueued too much); 9 to be asked again" in line for line in desk.told)
        assert [one.role for one in again.batches] == ["author"] and len(server.batches.all) == 2
        server.batches.ends = "completed"
        assert (await desk.to_its_end())[-1].complete and desk.paid_once()


async def test_of_an_expired_batch_what_was_answered_is_kept_and_the_rest_asked_again(tmp_path: Path) -> None:
    async with FakeServer(Model()) as server:
        desk = Desk(server, tmp_path)
        await desk.step()
        server.batches.ends, server.batches.answered = "expired", 4
        second = await desk.step()
        assert second.collected == 4 and {one.role: one.total for one in second.batches} == {"judge": 4, "author": 5}
        assert any(line.startswith("author: expired, 4 of 9 answered; 5 to be asked again") for line in desk.told)
        server.batches.ends = "completed"
        assert (await desk.to_its_end())[-1].complete and desk.paid_once()


async def test_a_request_that_the_server_finds_wrong_is_given_up_and_others_make_up_for_it(tmp_path: Path) -> None:
    async with FakeServer(Model()) as server:
        desk = Desk(server, tmp_path)
        await desk.step()
        bad = iter([Status(400, "too naughty")])
        server.every = lambda body: next(bad, None)
        second = await desk.step()
        assert second.collected == 8 and any("1 given up: too naughty (400)" in line for line in desk.told)
        assert {one.role: one.total for one in second.batches} == {"judge": 8, "author": 1}
        assert (await desk.to_its_end())[-1].complete
        assert len(desk.keys) == len(set(desk.keys)), "it was not asked again"


async def test_an_answer_that_does_not_fit_or_is_cut_is_asked_again_with_what_was_wrong(tmp_path: Path) -> None:
    async with FakeServer(Model(empty=0)) as server:
        desk = Desk(server, tmp_path)
        await desk.step()
        first = server.batches.requests_of("batch_0")[0]
        cut = iter([Truncate(9)])
        server.every = lambda body: next(cut, None)
        second = await desk.step()
        (again,) = (one.id for one in second.batches if one.role == "author")
        (line,) = server.batches.requests_of(again)
        assert line["custom_id"] == first["custom_id"]
        assert "That is not valid: it was cut off" in line["body"]["messages"][-1]["content"]
        assert line["body"]["max_tokens"] == 2 * first["body"]["max_tokens"], "and given more room"
        assert (await desk.to_its_end())[-1].complete


async def test_a_parameter_that_is_refused_is_met_before_the_batch(tmp_path: Path) -> None:
    async with FakeServer(Model(), refuses=["temperature"]) as server:
        desk = Desk(server, tmp_path)
        await desk.step()
        assert not any("temperature" in line["body"] for line in server.batches.requests_of("batch_0"))
        assert (await desk.to_its_end())[-1].complete


async def test_what_another_spec_judged_is_judged_again_before_more_is_written(tmp_path: Path) -> None:
    async with FakeServer(Model()) as server:
        desk = Desk(server, tmp_path)
        await desk.to_its_end()
        changed = loaded_spec(scenarios=SCENARIOS, success={"examples": 12}, purpose="Is kind.", spec_hash="1" * 64)
        first = await generate_in_batches(changed, desk.workspace, desk.asked)
        assert {one.role: one.total for one in first.batches} == {"judge": 11}, "what is missing is not known yet"
        second = await generate_in_batches(changed, desk.workspace, desk.asked)
    assert (second.collected, second.stored) == (11, 11)
    assert {one.role: one.total for one in second.batches} == {"author": 1}, "all eleven pass now; twelve are wanted"


async def test_only_what_fits_into_the_budget_is_submitted(tmp_path: Path) -> None:
    async with FakeServer(Model()) as server:
        desk = Desk(server, tmp_path, held(server, tmp_path, 6.0))
        first = await desk.step()
        # Half of $2.05 for each author's answer, and what the two at once have cost.
        assert first.batches[0].total == 5 and any("5 of 9 requests fit" in line for line in desk.told)
        limit = desk.workspace.examples.spent().cost_usd + 0.6
        desk.asked = held(server, tmp_path, limit)
        with pytest.raises(ModelError, match="raise --max-cost"):
            await desk.to_its_end()
        assert desk.workspace.examples.spent().cost_usd <= limit and desk.workspace.examples.count() == 6
        desk.asked = held(server, tmp_path, 90.0)
        assert (await desk.to_its_end())[-1].complete and desk.paid_once()


async def test_calls_at_once_and_batches_count_for_each_other(tmp_path: Path) -> None:
    async with FakeServer(Model()) as server:
        desk = Desk(server, tmp_path, held(server, tmp_path, 6.0))
        here, elsewhere = reservations_at(tmp_path / "tester"), Reservations(tmp_path / "tester" / RESERVED)
        with elsewhere.deciding():
            elsewhere.add(2.05)
        assert (await desk.step()).batches[0].total == 3, "two fewer than if nobody else had reserved"
        elsewhere.give_back(2.05)
        with here.deciding() as reserved:
            assert reserved == pytest.approx(3 * 2.05 / 2, rel=0.01)
        await desk.to_its_end()
        with here.deciding() as reserved:
            assert reserved == 0.0


async def test_what_was_paid_for_is_not_left_behind_where_the_model_changes(tmp_path: Path) -> None:
    async with FakeServer(Model()) as server:
        desk = Desk(server, tmp_path)
        await desk.step()
        other = desk.asked.settings.model_copy(update={"model": "other"})
        with pytest.raises(UserError, match="a batch is under way of fake at "):
            await desk.step(settings=other)


async def test_a_batch_needs_a_model_at_an_endpoint(tmp_path: Path) -> None:
    asked = GenerateParams(spec_path="tester.yaml", workspace=str(tmp_path))
    with pytest.raises(UserError, match="needs a model at an endpoint"):
        await generate_in_batches(spec(), Workspace.open(tmp_path, "tester"), asked)
