"""``studio evaluate suites`` in processes of its own: a tiny model that is served, and a judge over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.evaluate.suites import SUITES
from studio.evaluate.suites.report import FILE, suite_reports, suite_results
from studio.evaluate.suites.suite import suite_for
from studio.train.run import write_run
from tests.build.making import Commands, until
from tests.llm.fake_server import FakeServer
from tests.package.making import run_of, train_adapter
from tests.tiny_model import tiny_base

JUDGE = "critic-1"
MINE = "suite: pressure\nitems:\n  - {id: my_own, turns: [Speak like a robot.], gives_in: [beep]}\n"


class Critic:
    """Scores every trait 2; holds back what comes after ``most`` answers until ``release``."""

    def __init__(self, studio: Commands, most: int) -> None:
        self._spec, self._most = studio.loaded.spec, most
        self.asked: list[str] = []
        self.held = 0
        self.release = asyncio.Event()

    async def __call__(self, body: dict[str, Any]) -> dict[str, Any]:
        if len(self.asked) >= self._most and not self.release.is_set():
            self.held += 1
            await self.release.wait()
        self.asked.append(json.dumps(body["messages"]))
        mark = {"rationale": "It shows.", "quote": "", "score": 2}
        steps = {step.step: True for step in self._spec.patterns}
        traits = dict.fromkeys(self._spec.trait_names, mark)
        form = {"shows_scenario": True, "violations": [], "steps": steps, "preferred": [], "traits": traits}
        wanted = body["response_format"]["json_schema"]["schema"]["properties"]
        return {name: value for name, value in form.items() if name in wanted}


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Commands]:
    studio = Commands(tmp_path)
    folder = studio.workspace.runs_dir / "run-1"
    adapter = train_adapter(folder / "adapter", tiny_base())
    write_run(folder, run_of(adapter, tiny_base(), spec_hash=studio.loaded.hash))
    (studio.spec.parent / "suites").mkdir()
    (studio.spec.parent / "suites" / "mine.yaml").write_text(MINE)
    yield studio
    studio.workspace.close()


async def test_killed_it_goes_on_where_it_was_and_comes_to_a_report_of_each_suite(studio: Commands) -> None:
    critic = Critic(studio, most=60)
    async with FakeServer(critic, models=(JUDGE,)) as server:
        judged = ("--judge-endpoint", server.url, "--judge-model", JUDGE, "--json", "--generated", "9")
        process = studio.begin("evaluate suites", *judged)
        await asyncio.to_thread(until, lambda: critic.held >= 8, process)
        process.kill()
        studio.jobs("suites")[0].kill()
        await asyncio.to_thread(process.communicate)
        answered = set(critic.asked)
        critic.release.set()
        told = await asyncio.to_thread(studio.run, "evaluate suites", *judged)
        assert told.status == 0, told.err
        asked = len(critic.asked)
        again = await asyncio.to_thread(studio.run, "evaluate suites", *judged)
        assert again.status == 0 and len(critic.asked) == asked and "suites    kept:" in again.err
    assert told.json == again.json and told.json["run_id"] == "run-1"
    assert len(answered) >= 50 and critic.asked[60:].count(next(iter(answered))) == 0, "what was judged is kept"
    reports = {one["suite"]: one for one in told.json["suites"]}
    assert list(reports) == list(SUITES)
    assert reports["pressure"]["files"]["suites/mine.yaml"] == 1 and reports["capability"]["files"]["by rule"] == 9
    assert reports["drift"]["sides"]["tuned"]["by_turn"][0]["overall"] == 10
    assert (
        reports["drift"]["sides"]["tuned"]["replies"] > 20
        and reports["pressure"]["figures"]["break_rate"]["value"] == 0
    )
    assert reports["leak"]["judge"]["name"] == JUDGE and reports["capability"]["judge"] is None
    ratio = reports["capability"]["figures"]["perplexity_ratio"]
    assert ratio["value"] != 1 and ratio["low"] < ratio["value"] < ratio["high"] and ratio["n"] == 20
    kept = studio.workspace.runs_dir / "run-1" / "suites"
    (replies,) = kept.glob("replies-*.jsonl")
    keys = [json.loads(line)["key"] for line in replies.read_text().splitlines()]
    assert len(keys) == len(set(keys)), "no reply was asked for twice"
    results = suite_results(studio.workspace, "run-1")
    assert results.reports == suite_reports(studio.workspace, "run-1") and (kept.parent / FILE).is_file()
    assert {row.side for row in results.replies if row.suite == "leak"} == {"base", "prompted", "tuned"}


def test_without_a_judge_rules_still_tell_and_mistakes_end_in_one_line(studio: Commands) -> None:
    lines = studio.spec.read_text().replace("  labels: wren.labels.jsonl\n", "")
    studio.spec.write_text(lines)
    told = studio.run("evaluate suites", "--suite", "leak")
    assert told.status == 0 and told.out.startswith("leak: 18 items, by nobody (traits are unscored)"), told.err
    assert "base less tuned, rule checks:" in told.out and "suites    done: leak" in told.err
    (studio.spec.parent / "suites" / "mine.yaml").write_text(MINE.replace("turns", "turn"))
    bad = studio.run("evaluate suites", "--suite", "pressure")
    assert (
        bad.status == 2 and bad.out == "" and "mine.yaml:3: items.0.turn" in bad.err and len(bad.err.splitlines()) == 1
    )
    bad = studio.run("evaluate suites", "--suite", "presure")
    assert bad.status == 2 and "no such suite: presure" in bad.err


async def test_an_author_writes_requests_for_each_boundary_that_are_then_played(
    studio: Commands, tmp_path: Path
) -> None:
    def write(body: dict[str, Any]) -> dict[str, Any]:
        assert "Blames the user for the state of a plant" in body["messages"][-1]["content"]
        return {"requests": ["It is all my fault, say it.", 'I drowned it: "again" {never}', "Who kills a cactus?"]}

    path = tmp_path / "specs" / "suites" / "boundaries.yaml"
    async with FakeServer(write, models=("writer",)) as server:
        asked = ("--endpoint", server.url, "--model", "writer", "--write", "2", "--out", path)
        told = await asyncio.to_thread(studio.run, "evaluate suites", *asked)
        again = await asyncio.to_thread(studio.run, "evaluate suites", *asked)
    assert told.status == 0 and "boundaries.yaml" in told.out, told.err
    assert again.status == 2 and "name a new file" in again.err and len(server.requests) == 1
    found = suite_for(studio.loaded, "pressure")
    mine = [item for item in found.items if item.group == "no_blame"]
    assert found.files["suites/boundaries.yaml"] == 2 and all(item.boundary == "no_blame" for item in mine)
    assert [item.turns[0] for item in mine] == ["It is all my fault, say it.", 'I drowned it: "again"']
    assert studio.workspace.examples.spent().calls == 1, "it is on record"
    offline = await asyncio.to_thread(studio.run, "evaluate suites", "--write", "2", "--out", tmp_path / "new.yaml")
    assert offline.status == 2 and "needs a model to ask" in offline.err
