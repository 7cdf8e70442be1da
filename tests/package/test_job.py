"""Packing: proven by loading it back, once, and again where it was damaged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.errors import UserError
from studio.evaluate import save
from studio.jobs import JobContext
from studio.package import check, find_package, package_id, packages
from studio.package.job import main
from studio.package.packages import PackageFinished
from studio.serve.logprobs import PlainAnswer, PlainQuestion, Row, RunAnswer, RunQuestion, Runtime
from studio.spec import keep_spec
from studio.store import Workspace
from tests.package.making import SPEC, Made, write_spec


class Processes:
    """Stands in for the two that score replies: ``shift`` is how far apart their log-probabilities are."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shift = 0.0
        self.error: UserError | None = None
        self.hold: asyncio.Event | None = None
        self.runs: list[RunQuestion] = []
        self.folders: list[PlainQuestion] = []
        monkeypatch.setattr("studio.package.verify.by_run", self._by_run)
        monkeypatch.setattr("studio.package.verify.by_folder", self._by_folder)

    async def _by_run(self, question: RunQuestion) -> RunAnswer:
        self.runs.append(question)
        if self.hold:
            await self.hold.wait()
        rows = tuple(Row(prompt=(1, 2), taught=(3,), logprobs=(-1.0,)) for _ in question.replies)
        return RunAnswer(rows=rows, runtime=Runtime(dtype="float32", device="cpu"))

    async def _by_folder(self, question: PlainQuestion) -> PlainAnswer:
        assert (Path(question.folder) / "generation_config.json").is_file(), "the package is loaded back"
        self.folders.append(question)
        if self.error:
            raise self.error
        rows = tuple(row.model_copy(update={"logprobs": (-1.0 + self.shift,)}) for row in question.rows)
        return PlainAnswer(rows=rows, reply="warm", cut=False, versions={"peft": "0.21.2"})


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Processes:
    monkeypatch.setattr("studio.serve.client.base_of", lambda plan: plan.base_path)  # no hub is asked for it
    return Processes(monkeypatch)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    whole = Made(tmp_path)
    yield whole
    whole.workspace.close()


class Context(JobContext):
    """Keeps the events."""

    def __init__(self, folder: Path) -> None:
        self.told: list[Any] = []
        self._folder = folder
        self.stopping = False

    def emit(self, event: Any) -> None:
        self.told.append(event)

    @property
    def stop_requested(self) -> bool:
        return self.stopping

    def on_stop(self, callback: Callable[[], object]) -> None:
        self.stop = callback


async def pack(made: Made) -> PackageFinished:
    context = Context(made.root)
    await main(made.params, context)
    assert isinstance(context.told[-1], PackageFinished)
    return context.told[-1]


async def test_a_package_that_says_what_the_run_said_is_verified(made: Made, processes: Processes) -> None:
    processes.shift = 5e-5
    package = (await pack(made)).package
    proof = package.verification
    assert proof.verified and not package.gates_passed and package.verdict == "not approved"
    assert proof.difference == pytest.approx(5e-5) and proof.probes == proof.tokens == 3
    assert (proof.reply, proof.expected, proof.prompt, proof.note) == ("warm", "warm", "p0", "")
    assert processes.runs[0].params.adapter_path == str(made.adapter) != processes.folders[0].folder
    folder = Path(package.path)
    assert folder.name == package_id("harbour", made.evaluation) and set(package.files) == {
        "README.md",
        "PERSONA_SPEC.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "chat_template.jinja",
        "evidence/EVALUATION_RESULTS.json",
        "evidence/gates.json",
        "evidence/metrics.jsonl",
        "evidence/spec/spec.yaml",
        "examples/sample_interactions.jsonl",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    assert find_package(made.workspace, package.id) == package and check(folder).whole
    assert [path.name for path in made.workspace.packages_dir.iterdir()] == [folder.name], "nothing is left beside it"
    manifest = (folder / "package.json").read_text()
    assert str(made.root) not in manifest and json.loads(manifest)["verification"]["verified"]
    assert package.files["adapter_model.safetensors"] in (folder / "README.md").read_text()


async def test_a_package_that_differs_is_not_verified_and_says_by_how_much(made: Made, processes: Processes) -> None:
    processes.shift = 0.3
    package = (await pack(made)).package
    assert not package.verification.verified
    assert package.verification.note == "log-probabilities differ by 0.3 a token, over the tolerance of 0.0001"
    assert not json.loads((Path(package.path) / "package.json").read_text())["verification"]["verified"]
    assert "**Not verified**: log-probabilities differ by 0.3 a token" in (Path(package.path) / "README.md").read_text()
    assert packages(made.workspace) == [package] and find_package(made.workspace, package.id) is None


async def test_a_process_that_fails_proves_nothing(made: Made, processes: Processes) -> None:
    processes.error = UserError("it broke")
    proof = (await pack(made)).package.verification
    assert not proof.verified and "it broke" in proof.note


async def test_one_that_failed_its_proof_is_made_again(made: Made, processes: Processes) -> None:
    processes.shift = 0.3
    await pack(made)
    processes.shift = 0.0
    package = (await pack(made)).package
    assert package.verification.verified and packages(made.workspace) == [package]


async def test_packing_twice_leaves_the_first_package_as_it_is(made: Made, processes: Processes) -> None:
    first = (await pack(made)).package
    assert (await pack(made)).package == first and len(processes.folders) == 1


@pytest.mark.parametrize("damage", ["changed", "removed", "folder gone"])
async def test_a_damaged_package_is_made_again(made: Made, processes: Processes, damage: str) -> None:
    first = (await pack(made)).package
    weights = Path(first.path) / "adapter_model.safetensors"
    whole = weights.read_bytes()
    if damage == "changed":
        weights.write_bytes(b"other")
    elif damage == "removed":
        weights.unlink()
    else:
        Path(first.path).rename(made.root / "away")
    assert find_package(made.workspace, first.id) is None
    again = (await pack(made)).package
    assert (Path(again.path) / "adapter_model.safetensors").read_bytes() == whole
    assert find_package(made.workspace, first.id) == again and len(processes.folders) == 2


async def test_a_package_is_found_where_its_workspace_was_moved_to(made: Made, processes: Processes) -> None:
    package = (await pack(made)).package
    made.workspace.close()
    made.root.rename(made.root.parent / "moved")
    moved = Workspace.open(made.root.parent / "moved", made.loaded.spec.slug)
    found = find_package(moved, package.id)
    assert found and Path(found.path) == moved.packages_dir / package.id
    assert str(made.root.parent) not in moved.studio.path.read_text()
    moved.close()


async def test_a_run_whose_evaluation_is_another_is_not_packed(made: Made, processes: Processes) -> None:
    made.evaluation = made.evaluation.model_copy(update={"id": "run-1-e9"})
    with pytest.raises(UserError, match="no evaluation run-1-e9"):
        await pack(made)
    assert not processes.runs


async def test_a_package_documents_the_spec_that_its_run_was_trained_by(made: Made, processes: Processes) -> None:
    keep_spec(made.loaded, made.workspace.runs_dir / "run-1" / "spec")
    write_spec(made.loaded.path.parent, SPEC.replace("Stays level", "Shouts").replace("channel twelve", "channel one"))
    folder = Path((await pack(made)).package.path)
    document, card = (folder / "PERSONA_SPEC.md").read_text(), (folder / "README.md").read_text()
    assert made.loaded.hash in document and made.loaded.hash in card
    assert "Stays level" in document and "Shouts" not in document
    assert "channel twelve" in card and "channel one" not in card


@pytest.mark.parametrize("now", ["the same", "changed, and kept with the run", "changed"])
async def test_a_run_that_was_evaluated_by_another_spec_is_not_packed(
    made: Made, processes: Processes, now: str
) -> None:
    folder = made.workspace.runs_dir / "run-1" / "spec"
    if "kept" in now:
        keep_spec(made.loaded, folder)
    if "changed" in now:
        write_spec(made.loaded.path.parent, SPEC.replace("Stays level", "Shouts"))
    save(made.workspace, made.evaluation.model_copy(update={"spec_hash": "e" * 64}))
    with pytest.raises(UserError, match="evaluated by another version") as caught:
        await pack(made)
    ways = {"the same": f"studio evaluate {made.loaded.path} ", "changed": "studio build"}
    assert ways.get(now, f"studio evaluate {folder}") in caught.value.remedy


async def test_a_run_whose_spec_is_no_longer_known_is_not_packed(made: Made, processes: Processes) -> None:
    write_spec(made.loaded.path.parent, SPEC.replace("Stays level", "Shouts"))
    with pytest.raises(UserError, match="trained by another version") as caught:
        await pack(made)
    assert made.loaded.hash[:12] in caught.value.remedy and packages(made.workspace) == []


async def test_a_failure_in_the_middle_leaves_no_package(made: Made, processes: Processes) -> None:
    (made.adapter / "adapter_config.json").write_text("{")
    with pytest.raises(UserError, match="damaged"):
        await pack(made)
    assert packages(made.workspace) == [] and find_package(made.workspace, "harbour-run-1-e1") is None


async def test_a_stop_while_the_package_is_proven_leaves_none(made: Made, processes: Processes) -> None:
    context = Context(made.root)
    processes.hold = asyncio.Event()
    packing = asyncio.ensure_future(main(made.params, context))
    while not processes.runs:  # noqa: ASYNC110 - the job is a task of its own
        await asyncio.sleep(0.01)
    context.stopping = True
    context.stop()
    await packing
    assert packages(made.workspace) == []
