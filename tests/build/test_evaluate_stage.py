"""What counts as evaluated already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from studio.build import Session
from studio.build.session import BuildEvent, StageEnded, Tell
from studio.build.stages import evaluate_stage
from studio.evaluate import Evaluation, fingerprint, save
from studio.jobs import Job
from studio.judge import open_judge
from studio.llm import ModelSettings
from tests.evaluate.making import judgement, result
from tests.package.making import Made, evaluation_of

GOOD = result("a", judgement(1), judgement(2))
UNJUDGED = result("a", judgement(1), judgement(verdict="error"))


class Stage:
    """The stage on a run whose evaluations are those of ``tries``, one a job."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made = Made(folder)
        self.session = Session(self.made.loaded, self.made.workspace, self.made.root, ModelSettings())
        self.tries: list[Evaluation] = []
        self.jobs = 0
        monkeypatch.setattr("studio.build.stages.run_job", self._job)

    async def _job(
        self,
        tell: Tell,
        session: Session,
        stage: str,
        begin: Callable[[], Job],
        done: Callable[[], bool],
        note: str = "",
    ) -> None:
        self.jobs += 1
        save(session.workspace, self.tries.pop(0))

    def evaluation(self, *results: object) -> Evaluation:
        mark = fingerprint(self.made.loaded, self.made.run, open_judge(ModelSettings(), self.made.loaded))
        return evaluation_of(fingerprint=mark, results=results)

    async def run(self, *, locked: bool = True) -> tuple[StageEnded, Evaluation]:
        events: list[BuildEvent] = []
        done = await evaluate_stage(events.append, self.session, self.made.run, locked)
        assert isinstance(events[-1], StageEnded)
        return events[-1], done


async def test_an_evaluation_with_replies_that_could_not_be_judged_is_tried_again_once_a_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(tmp_path, monkeypatch)
    stage.tries = [stage.evaluation(UNJUDGED), stage.evaluation(UNJUDGED), stage.evaluation(GOOD)]
    for jobs, whole in ((1, False), (2, False), (3, True)):
        ended, evaluation = await stage.run()
        assert (stage.jobs, evaluation.whole, ended.skipped) == (jobs, whole, False)
    ended, _ = await stage.run()
    assert ended.skipped and stage.jobs == 3


async def test_a_verdict_serves_who_asks_for_less_and_what_rests_on_open_probes_is_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(tmp_path, monkeypatch)
    whole = stage.evaluation(GOOD)
    stage.tries = [whole.model_copy(update={"scope": "open"}), whole]
    found = [await stage.run(locked=locked) for locked in (False, False, True, False)]
    assert [(ended.skipped, one.is_verdict) for ended, one in found] == [
        (False, False),
        (True, False),
        (False, True),
        (True, True),
    ]
