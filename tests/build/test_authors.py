"""Who could write: told in plain words, and never an imitation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from studio.build import Session
from studio.build.authors import (
    AuthorChoice,
    Roles,
    check_models,
    generate_entry,
    main,
    recorded_left,
    roles,
    who_could_write,
)
from studio.chatml import assistant, user
from studio.errors import UserError
from studio.generate import RECORDED, GenerateParams
from studio.jobs import JobContext
from studio.jobs.events import EventLog
from studio.llm import LocalServer, ModelSettings
from studio.serve import ServeReady
from studio.spec import LoadedSpec, load
from studio.store import Example, Person, Workspace
from tests.llm.fake_server import FakeServer

PAGE = """
schema: 2
name: Coach
purpose: A coach that helps people finish their tasks.
traits: [{name: kind, is: Warm, is_not: Gushing, anchors: {2: Warm, 1: Polite, 0: Cold}}]
scenarios: {tasks: {target: 1, items: [Finish a task]}}
"""
OLLAMA = LocalServer(name="Ollama", endpoint="http://127.0.0.1:11434/v1", models=("llama3.1:8b", "qwen3:4b"))


def by_kind(choices: list[AuthorChoice]) -> dict[str, AuthorChoice]:
    return {choice.kind: choice for choice in choices}


def spec(folder: Path, recorded: int | None = None) -> LoadedSpec:
    page = PAGE
    if recorded is not None:
        page += "beside: {recorded: coach.recorded.jsonl}\n"
        said = [{"role": "user", "content": "Done."}, {"role": "assistant", "content": "Nice work!"}]
        line = json.dumps({"scenario": "Finish a task", "person": {"name": "Ada"}, "messages": said})
        (folder / "coach.recorded.jsonl").write_text(f"{line}\n" * recorded + "\n")
    path = folder / "coach.yaml"
    path.write_text(page)
    return load(path)


def test_with_nothing_at_all_a_local_model_ones_own_hand_and_an_import_are_left() -> None:
    choices = who_could_write(ModelSettings(), spec="mine.yaml")
    assert [choice.kind for choice in choices] == ["local", "hand", "import"]
    assert not any(choice.ready for choice in choices)
    found = by_kind(choices)
    assert "studio build mine.yaml --author local:MODEL" in found["local"].how and "slow" in found["local"].text
    assert found["hand"].how == "studio triage new mine.yaml"
    assert found["import"].how == "studio triage import mine.yaml FILE"


def test_the_model_that_was_named_comes_first_and_is_ready() -> None:
    endpoint = who_could_write(ModelSettings(endpoint="http://gpu:8000/v1", model="llama"))[0]
    assert (endpoint.kind, endpoint.text, endpoint.ready) == ("endpoint", "llama at http://gpu:8000/v1", True)
    key = who_could_write(ModelSettings(model="gpt-5-mini", key_variable="OPENAI_API_KEY"))[0]
    assert key.kind == "key" and key.ready and "OPENAI_API_KEY" in key.text
    unnamed = who_could_write(ModelSettings(endpoint="http://gpu:8000/v1"))[0]
    assert not unnamed.ready and "--model" in unnamed.how
    served = who_could_write(ModelSettings(author_local="smollm2"))[0]
    assert (served.kind, served.ready) == ("served", True)


def test_a_recording_says_how_many_are_left_and_plays_only_where_no_model_writes() -> None:
    alone = by_kind(who_could_write(ModelSettings(), recorded=7))["recording"]
    assert alone.ready and "7 conversations left" in alone.text
    beside = by_kind(who_could_write(ModelSettings(endpoint="http://gpu/v1", model="m"), recorded=7))["recording"]
    assert not beside.ready
    assert "recording" not in by_kind(who_could_write(ModelSettings(), recorded=0))


def test_a_server_that_was_found_waits_for_a_yes_and_brings_its_settings() -> None:
    asked = ModelSettings(judge_model="judge")
    (choice,) = (one for one in who_could_write(asked, spec="s.yaml", servers=[OLLAMA]) if one.kind == "server")
    assert not choice.ready and "llama3.1:8b, qwen3:4b" in choice.text
    assert choice.how == "studio build s.yaml --endpoint http://127.0.0.1:11434/v1 --model llama3.1:8b"
    assert choice.settings == ModelSettings(endpoint=OLLAMA.endpoint, model="llama3.1:8b", judge_model="judge")


@pytest.mark.parametrize("endpoint", [OLLAMA.endpoint, "http://localhost:11434/v1"])
def test_a_server_that_is_in_use_already_is_not_offered_again(endpoint: str) -> None:
    used = ModelSettings(endpoint=endpoint, model="qwen3:4b")
    assert "server" not in by_kind(who_could_write(used, servers=[OLLAMA]))


def test_a_server_without_models_or_behind_a_key_says_what_it_wants() -> None:
    empty, locked = OLLAMA.model_copy(update={"models": ()}), LocalServer(name="vLLM", endpoint="e", needs_key=True)
    first, second = (c for c in who_could_write(ModelSettings(), servers=[empty, locked]) if c.kind == "server")
    assert "no model yet" in first.text and first.settings is None
    assert "wants a key" in second.text and "OPENAI_API_KEY" in second.how and second.settings is None


def test_a_local_model_says_what_it_takes_on_the_device_that_is_there() -> None:
    gpu = by_kind(who_could_write(ModelSettings(), gpu="NVIDIA H200"))["local"]
    assert "NVIDIA H200" in gpu.text and "2 GB of memory a billion" in gpu.text and "slow" not in gpu.text
    assert "4 GB of memory a billion" in by_kind(who_could_write(ModelSettings()))["local"].text
    assert by_kind(who_could_write(ModelSettings(), can_serve=False))["local"].how.startswith("pip install")


def test_what_is_left_of_a_recording_is_counted_without_making_a_workspace(tmp_path: Path) -> None:
    root, loaded = tmp_path / "workspace", spec(tmp_path, recorded=3)
    assert recorded_left(loaded, root) == 3 and not root.exists()
    workspace = Workspace.open(root, loaded.spec.slug)
    workspace.examples.add_person(Person(id="p", source="bank", name="Ada"))
    for id, author in (("a", RECORDED), ("b", "llama")):
        example = Example(
            id=id,
            spec_hash=loaded.hash,
            category="tasks",
            scenario="Finish a task",
            person_id="p",
            messages=(user("Done."), assistant("Nice work!")),
            author=author,
            created=datetime.now(UTC),
        )
        workspace.examples.add_example(example)
    workspace.close()
    assert recorded_left(loaded, root) == 2
    assert recorded_left(spec(tmp_path), root) == 0


def test_who_writes_and_judges_is_named_where_it_is_no_model(tmp_path: Path) -> None:
    bare, recorded, remote = (
        spec(tmp_path),
        spec(tmp_path, recorded=1),
        ModelSettings(endpoint="http://b/v1", model="m"),
    )
    assert roles(ModelSettings(), recorded) == Roles(author=RECORDED)
    assert roles(ModelSettings(), bare) == roles(remote, recorded) == Roles()
    assert roles(ModelSettings(author_local="smollm2"), recorded) == Roles()
    assert roles(ModelSettings(endpoint="http://b/v1"), bare) == Roles(), "that no model is named is said elsewhere"


def test_a_learned_judge_is_named_with_its_agreement_once_that_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = SimpleNamespace(name="learned judge")
    traits = {
        "kind": SimpleNamespace(kappa=0.5),
        "brief": SimpleNamespace(kappa=0.25),
        "odd": SimpleNamespace(kappa=None),
    }
    monkeypatch.setattr("studio.build.authors.open_judge", lambda settings, loaded: judge)
    monkeypatch.setattr("studio.build.authors.known_agreement", lambda loaded, judge: None)
    assert roles(ModelSettings(), spec(tmp_path)) == Roles(judge="learned judge")
    monkeypatch.setattr("studio.build.authors.known_agreement", lambda loaded, judge: SimpleNamespace(traits=traits))
    assert roles(ModelSettings(), spec(tmp_path)) == Roles(judge="learned judge", agreement=0.375)


async def test_a_build_that_nobody_could_write_for_says_who_could(tmp_path: Path) -> None:
    loaded = spec(tmp_path)
    session = Session(loaded, Workspace.open(tmp_path, loaded.spec.slug), tmp_path, ModelSettings())
    with pytest.raises(UserError, match="nobody is there to write") as caught:
        await check_models(session)
    assert "studio triage new" in caught.value.remedy and "--author local:MODEL" in caught.value.remedy
    session.workspace.close()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (ModelSettings(endpoint="http://b/v1"), "no model is named"),
        (ModelSettings(author_local="./no-such-folder"), "no such folder"),
    ],
)
async def test_a_model_that_cannot_be_had_is_told_before_a_job_is_started(
    settings: ModelSettings, said: str, tmp_path: Path
) -> None:
    loaded = spec(tmp_path)
    session = Session(loaded, Workspace.open(tmp_path, loaded.spec.slug), tmp_path, settings)
    with pytest.raises(UserError, match=said):
        await check_models(session)
    session.workspace.close()


def test_a_job_has_its_authors_worker_only_where_the_studio_serves_it() -> None:
    assert generate_entry(ModelSettings(endpoint="http://b/v1")) == "studio.generate.job:main"
    assert generate_entry(ModelSettings(author_local="m")) == "studio.build.authors:main"


async def test_a_served_author_is_asked_at_its_worker_which_is_let_go_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker is played by a server on a Unix socket; the job is the real one."""
    loaded, left = spec(tmp_path), []
    conversation = {"user": "I am done.", "assistant": "Nice work! What is next?", "messages": None}
    async with FakeServer(lambda body: conversation, uds=tmp_path / "s.sock") as server:
        ready = ServeReady(socket=str(tmp_path / "s.sock"), device="CPU", models=("base",), proof=None, seconds=0.1)

        @contextmanager
        def held() -> Iterator[SimpleNamespace]:
            yield SimpleNamespace(ready=ready)
            left.append(len(server.requests))

        async def serve(jobs_dir: Path, model: str) -> AbstractContextManager[SimpleNamespace]:
            assert (jobs_dir, model) == (tmp_path / "coach" / "jobs", "smollm2")
            return held()

        monkeypatch.setattr("studio.build.authors.serve_author", serve)
        params = GenerateParams(
            spec_path=str(loaded.path),
            workspace=str(tmp_path),
            settings=ModelSettings(author_local="smollm2"),
            examples=1,
            max_attempts=1,
            concurrency=1,
        )
        Workspace.open(tmp_path, "coach").close()
        folder = tmp_path / "coach" / "jobs" / "one"
        folder.mkdir(parents=True)
        context = JobContext(folder, EventLog(folder / "events.jsonl"))
        await main(params.model_dump(mode="json"), context)
        assert {body["model"] for body in server.requests} == {"base"} and left == [len(server.requests)]
    workspace = Workspace.open(tmp_path, "coach")
    (row, *_) = workspace.examples.each()
    workspace.close()
    assert (row.example.author, row.example.messages[1].content) == ("smollm2", "Nice work! What is next?")
