"""Packing: proven by its own reply, once, and again where it was damaged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from studio.errors import UserError
from studio.evaluate import save
from studio.jobs import Job, JobContext
from studio.llm import Completion, ModelError, Request
from studio.package import find_package, package_id, packages
from studio.package.job import main
from studio.package.types import PackageFinished
from studio.serve import ServeParams, Server, ServeReady
from studio.spec import keep_spec
from studio.store import Workspace
from studio.train import resolve_base
from tests.package.making import SPEC, Made, write_spec


class FakeServer:
    """Stands where the serve worker and the client for it are: it answers ``reply``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reply: str | ModelError = "warm"
        self.hold: asyncio.Event | None = None
        self.served: list[ServeParams] = []
        self.asked: list[tuple[str, Request]] = []
        monkeypatch.setattr("studio.package.verify.ensure", self._ensure)
        monkeypatch.setattr("studio.package.verify.open_model", self._model)

    async def _ensure(self, jobs_dir: Path, params: ServeParams) -> Server:
        assert (Path(params.adapter_path or "") / "adapter_model.safetensors").is_file(), "the package is loaded back"
        self.served.append(params)
        ready = ServeReady(socket="none", device="cpu", models=("base", "tuned"), proof=None, seconds=0)
        return Server(Job(jobs_dir / "none"), ready, BytesIO())

    def _model(self, ready: ServeReady, name: str) -> FakeServer:
        self._name = name
        return self

    async def complete(self, request: Request) -> Completion:
        self.asked.append((self._name, request))
        if self.hold:
            await self.hold.wait()
        if isinstance(self.reply, ModelError):
            raise self.reply
        return Completion(text=self.reply, model=self._name)

    async def close(self) -> None: ...


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    return FakeServer(monkeypatch)


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


async def test_a_package_that_answers_as_the_run_did_is_verified(made: Made, server: FakeServer) -> None:
    package = (await pack(made)).package
    assert package.verification.verified and not package.gates_passed
    assert package.verification.reply == "warm" and package.verification.prompt == "p0"
    assert server.asked[0][0] == "tuned" and server.asked[0][1].messages == made.evaluation.results[0].probe.messages
    assert server.served[0].base_path == resolve_base("pocket"), "not the folder that it was trained from long ago"
    folder = Path(package.path)
    assert folder.name == package_id("harbour", made.evaluation) and set(package.files) == {
        "README.md",
        "PERSONA_SPEC.md",
        "EVALUATION_RESULTS.json",
        "adapter_config.json",
        "adapter_model.safetensors",
        "chat_template.jinja",
        "examples/sample_interactions.jsonl",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    assert find_package(made.workspace, package.id) == package
    assert [path.name for path in made.workspace.packages_dir.iterdir()] == [folder.name], "nothing is left beside it"
    manifest = (folder / "package.json").read_text()
    assert str(made.root) not in manifest and json.loads(manifest)["verification"]["verified"]


async def test_a_package_whose_reply_differs_is_not_verified(made: Made, server: FakeServer) -> None:
    server.reply = "cold"
    package = (await pack(made)).package
    assert not package.verification.verified
    assert package.verification.note == "the reply differs from the evaluated one"
    assert (package.verification.expected, package.verification.reply) == ("warm", "cold")
    assert not json.loads((Path(package.path) / "package.json").read_text())["verification"]["verified"]
    assert packages(made.workspace) == [package] and find_package(made.workspace, package.id) is None


async def test_a_server_that_fails_proves_nothing(made: Made, server: FakeServer) -> None:
    server.reply = ModelError("server", "it broke")
    proof = (await pack(made)).package.verification
    assert not proof.verified and "it broke" in proof.note


async def test_one_that_failed_its_proof_is_made_again(made: Made, server: FakeServer) -> None:
    server.reply = "cold"
    await pack(made)
    server.reply = "warm"
    package = (await pack(made)).package
    assert package.verification.verified and packages(made.workspace) == [package]


async def test_packing_twice_leaves_the_first_package_as_it_is(made: Made, server: FakeServer) -> None:
    first = (await pack(made)).package
    assert (await pack(made)).package == first and len(server.asked) == 1


@pytest.mark.parametrize("damage", ["changed", "removed", "folder gone"])
async def test_a_damaged_package_is_made_again(made: Made, server: FakeServer, damage: str) -> None:
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
    assert find_package(made.workspace, first.id) == again and len(server.asked) == 2


async def test_a_package_is_found_where_its_workspace_was_moved_to(made: Made, server: FakeServer) -> None:
    package = (await pack(made)).package
    made.workspace.close()
    made.root.rename(made.root.parent / "moved")
    moved = Workspace.open(made.root.parent / "moved", made.loaded.spec.slug)
    found = find_package(moved, package.id)
    assert found and Path(found.path) == moved.packages_dir / package.id
    assert str(made.root.parent) not in moved.studio.path.read_text()
    moved.close()


async def test_a_run_whose_evaluation_is_another_is_not_packed(made: Made, server: FakeServer) -> None:
    made.evaluation = made.evaluation.model_copy(update={"id": "run-1-e9"})
    with pytest.raises(UserError, match="no evaluation run-1-e9"):
        await pack(made)
    assert not server.asked


async def test_a_package_documents_the_spec_that_its_run_was_trained_by(made: Made, server: FakeServer) -> None:
    keep_spec(made.loaded, made.workspace.runs_dir / "run-1" / "spec")
    write_spec(made.loaded.path.parent, SPEC.replace("Stays level", "Shouts").replace("channel twelve", "channel one"))
    folder = Path((await pack(made)).package.path)
    document, card = (folder / "PERSONA_SPEC.md").read_text(), (folder / "README.md").read_text()
    assert made.loaded.hash in document and made.loaded.hash in card
    assert "Stays level" in document and "Shouts" not in document
    assert "channel twelve" in card and "channel one" not in card


@pytest.mark.parametrize("kept", [True, False])
async def test_a_run_that_was_evaluated_by_another_spec_is_not_packed(
    made: Made, server: FakeServer, kept: bool
) -> None:
    folder = made.workspace.runs_dir / "run-1" / "spec"
    if kept:
        keep_spec(made.loaded, folder)
    save(made.workspace, made.evaluation.model_copy(update={"spec_hash": "e" * 64}))
    with pytest.raises(UserError, match="evaluated by another version") as caught:
        await pack(made)
    assert (f"studio evaluate {folder}" if kept else "studio build") in caught.value.remedy


async def test_a_run_whose_spec_is_no_longer_known_is_not_packed(made: Made, server: FakeServer) -> None:
    write_spec(made.loaded.path.parent, SPEC.replace("Stays level", "Shouts"))
    with pytest.raises(UserError, match="trained by another version") as caught:
        await pack(made)
    assert made.loaded.hash[:12] in caught.value.remedy and packages(made.workspace) == []


async def test_a_failure_in_the_middle_leaves_no_package(made: Made, server: FakeServer) -> None:
    (made.adapter / "adapter_config.json").write_text("{")
    with pytest.raises(UserError, match="damaged"):
        await pack(made)
    assert packages(made.workspace) == [] and find_package(made.workspace, "harbour-run-1-e1") is None


async def test_a_stop_while_the_package_is_proven_leaves_none(made: Made, server: FakeServer) -> None:
    context = Context(made.root)
    server.hold = asyncio.Event()
    packing = asyncio.ensure_future(main(made.params, context))
    while not server.asked:  # noqa: ASYNC110 - the job is a task of its own
        await asyncio.sleep(0.01)
    context.stopping = True
    context.stop()
    await packing
    assert packages(made.workspace) == []


async def test_an_evaluation_without_probes_proves_nothing(made: Made, server: FakeServer) -> None:
    from studio.package.verify import verify

    proof = await verify(made.root, made.run, made.evaluation.model_copy(update={"results": ()}))
    assert not proof.verified and "no probe" in proof.note and not server.served
