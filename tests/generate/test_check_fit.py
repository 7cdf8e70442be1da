"""Checking the fit of the user's side to who asks: asked for, kept, filtered by, and never paid for twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio.generate import ExampleScored, GenerateFinished, GenerateParams, generate
from studio.generate.screening import fitted
from studio.store import Filter, Workspace
from tests.generate.making import SOMEBODY, loaded_spec
from tests.generate.models import FakeJudge, Studio, pleased, said
from tests.generate.test_batched import Desk
from tests.generate.test_http import Model, params, spec
from tests.llm.fake_server import FakeServer
from tests.llm.faults import Status


class Fitting(Model):
    """As the model of these tests, and asked about fit it finds every ``nth`` one contradicted."""

    def __init__(self, nth: int) -> None:
        super().__init__()
        self.nth, self.fits = nth, 0

    def __call__(self, body: dict[str, Any]) -> dict[str, Any]:
        if "fits the person" not in body["messages"][0]["content"]:
            return super().__call__(body)
        self.fits += 1
        return {"rationale": "Nobody of 19 has grandchildren.", "score": 0 if self.fits % self.nth == 0 else 2}


def checking(server: FakeServer, root: Path) -> GenerateParams:
    return params(server, root).model_copy(update={"check_fit": True})


async def test_a_misfit_is_rejected_with_its_reason_and_made_up_for(tmp_path: Path) -> None:
    workspace, model = Workspace.open(tmp_path, "tester"), Fitting(4)
    async with FakeServer(model) as server:
        events = [e async for e in generate(spec(), workspace, checking(server, tmp_path), lambda: False)]
    end = events[-1]
    assert isinstance(end, GenerateFinished) and end.complete and end.accepted == 10
    misfits = workspace.examples.rows(Filter(reason="misfit"))
    assert len(misfits) == model.fits // 4 > 0
    judgement = misfits[0].judgement
    assert judgement is not None and judgement.fit is not None and misfits[0].status == "rejected"
    assert judgement.fit.score == 0 and "grandchildren" in judgement.fit.reason and judgement.fit.by == "fake-judge"
    assert workspace.examples.reasons()["misfit"] == len(misfits)
    # What the judge rejected for its traits was not asked about: one call was saved.
    assert model.judged == model.fits + 1


async def test_what_is_there_is_checked_later_and_only_the_fit_is_paid_for(tmp_path: Path) -> None:
    workspace, model = Workspace.open(tmp_path, "tester"), Fitting(1000)
    async with FakeServer(model) as server:
        _ = [e async for e in generate(spec(), workspace, params(server, tmp_path), lambda: False)]
        written, judged = model.written, model.judged
        for _ in range(2):
            _ = [e async for e in generate(spec(), workspace, checking(server, tmp_path), lambda: False)]
    assert (model.written, model.judged, model.fits) == (written, judged, 10)
    kept = workspace.examples.rows(Filter(status="accepted"))
    assert len(kept) == 10 and all(row.judgement and row.judgement.fit for row in kept)


async def test_a_check_that_fails_is_an_error_and_is_made_at_the_next_start(tmp_path: Path) -> None:
    workspace, model = Workspace.open(tmp_path, "tester"), Fitting(1000)

    def away(body: dict[str, Any]) -> dict[str, Any]:
        found = model(body)
        return found if "score" not in found else {"rationale": "?", "score": "many"}

    async with FakeServer(away, faults=[Status(500)]) as server:
        asked = checking(server, tmp_path).model_copy(update={"examples": 2, "max_attempts": 1})
        events = [e async for e in generate(spec(), workspace, asked, lambda: False)]
    scored = [e for e in events if isinstance(e, ExampleScored)]
    errors = sum(e.verdict == "error" for e in scored)
    assert errors and {e.verdict for e in scored} <= {"error", "failed"}
    written = model.written
    async with FakeServer(model) as server:
        again = checking(server, tmp_path).model_copy(update={"examples": 2})
        again = again.model_copy(update={"settings": again.settings.model_copy(update={"retry_failed": True})})
        events = [e async for e in generate(spec(), workspace, again, lambda: False)]
    assert isinstance(events[-1], GenerateFinished) and events[-1].accepted == errors
    assert model.written == written


async def test_without_a_model_style_markers_are_kept_and_nothing_is_rejected_for_them(tmp_path: Path) -> None:
    judge = FakeJudge(loaded_spec(), None)
    told = said("Where Is My Cat?", "Here.").turns
    judgement = await judge.score(told)
    shouts = SOMEBODY.model_copy(update={"chatting_style": "all lower case"})
    found = await fitted(judge, judgement, told, shouts)
    assert (found.verdict, found.reasons) == ("unscored", ())
    assert found.fit is not None and (found.fit.score, found.fit.by) == (0, "style markers")
    assert (await fitted(judge, judgement, told, None)).fit is None
    studio = Studio(tmp_path, loaded_spec(), judge=None)
    await studio.run(check_fit=True, examples=4)
    rows = studio.workspace.examples.rows(Filter())
    assert rows and not [row for row in rows if row.status == "rejected"]


async def test_without_the_check_nobody_is_asked_and_the_record_says_nothing(tmp_path: Path) -> None:
    studio = Studio(tmp_path, loaded_spec(), judge=pleased)
    await studio.run(examples=2)
    assert all(
        row.judgement is not None and row.judgement.fit is None for row in studio.workspace.examples.rows(Filter())
    )


async def test_in_batches_the_check_waits_for_its_own_answers_and_is_paid_once(tmp_path: Path) -> None:
    model = Fitting(4)
    async with FakeServer(model) as server:
        desk = Desk(server, tmp_path, checking(server, tmp_path))
        steps = await desk.to_its_end(most=30)
        assert steps[-1].complete and desk.paid_once()
    misfits = desk.workspace.examples.rows(Filter(reason="misfit"))
    kept = desk.workspace.examples.rows(Filter(status="accepted"))
    assert len(kept) == 10 and all(row.judgement and row.judgement.fit for row in kept)
    assert len(misfits) == model.fits // 4 > 0
