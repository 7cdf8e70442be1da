"""Settings say where models are, and never hold a key."""

from pathlib import Path

import pytest

from studio.errors import UserError
from studio.llm import ModelSettings, author_model, resolve_settings
from tests.llm.fake_server import FakeServer
from tests.llm.helpers import MemoryLog, asked


def test_nothing_set_means_offline() -> None:
    assert resolve_settings(environ={}).offline
    assert resolve_settings(environ={"OPENAI_API_KEY": "", "OPENAI_BASE_URL": ""}).offline


def test_a_key_alone_means_openai_and_is_not_stored() -> None:
    environ = {"OPENAI_API_KEY": "sk-secret"}
    settings = resolve_settings(environ=environ)
    assert not settings.offline
    assert (settings.url, settings.model, settings.local) == ("https://api.openai.com/v1", "gpt-5-mini", False)
    assert "sk-secret" not in settings.model_dump_json()
    assert "sk-secret" not in repr(settings)
    assert settings.key(environ) == "sk-secret"


def test_white_space_around_a_key_is_no_part_of_it() -> None:
    settings = resolve_settings(environ={"OPENAI_API_KEY": " sk-secret\r\n"})
    assert settings.key({"OPENAI_API_KEY": " sk-secret\r\n"}) == "sk-secret"
    assert resolve_settings(environ={"OPENAI_API_KEY": " \n"}).offline


def test_arguments_go_before_the_environment() -> None:
    environ = {"OPENAI_BASE_URL": "http://a/v1", "STUDIO_MODEL": "m", "STUDIO_JUDGE_MODEL": "j"}
    assert resolve_settings(environ=environ) == ModelSettings(endpoint="http://a/v1", model="m", judge_model="j")
    chosen = resolve_settings("http://b/api/", "n", "k", environ)
    assert (chosen.endpoint, chosen.model, chosen.judge_model) == ("http://b/api", "n", "k")


def test_an_endpoint_alone_has_no_default_model() -> None:
    settings = resolve_settings("http://localhost:11434", environ={"OPENAI_API_KEY": "k"})
    assert (settings.endpoint, settings.model) == ("http://localhost:11434/v1", None)


@pytest.mark.parametrize(
    "endpoint",
    [
        "localhost:8000",
        "ftp://host/v1",
        "http://",
        "http://me:pw@host/v1",
        "http://h/v1?k=1",
        "http://h:99999/v1",
        "http://[::1",
        "http://a..b/v1",
        f"http://{'a' * 70}.com/v1",
        "http://exa\u2100mple.com",
        "http://local host:8000/v1",
        "http://h\udcff/v1",
        "http://h/v1\udcff",
        "http://h\x00/v1",
    ],
)
def test_a_bad_endpoint_is_the_users_to_mend(endpoint: str) -> None:
    with pytest.raises(UserError) as caught:
        resolve_settings(endpoint, environ={})
    assert "pw" not in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("endpoint", "local"),
    [
        ("http://localhost:1/v1", True),
        ("http://127.0.0.2/v1", True),
        ("http://[::1]:8/v1", True),
        ("http://gpu/v1", False),
    ],
)
def test_local_endpoints_are_told_from_others(endpoint: str, local: bool) -> None:
    assert ModelSettings(endpoint=endpoint).local is local


def test_a_unix_socket_is_local_and_never_sent_a_key() -> None:
    settings = ModelSettings(endpoint="http://studio/v1", uds="/run/s.sock", key_variable="OPENAI_API_KEY")
    assert settings.local
    assert settings.key({"OPENAI_API_KEY": "k"}) is None


def test_a_local_author_is_carried_beside_whoever_judges() -> None:
    alone = resolve_settings(environ={}, author="local:smollm2")
    assert (alone.author_local, alone.author_served, alone.offline) == ("smollm2", None, True)
    judged = resolve_settings("http://b/v1", "m", environ={}, author=" local: HuggingFaceTB/SmolLM2-360M-Instruct ")
    assert (judged.author_local, judged.model) == ("HuggingFaceTB/SmolLM2-360M-Instruct", "m")
    assert resolve_settings(environ={}, author="local:~/models/mine:latest").author_local == "~/models/mine:latest"
    assert ModelSettings.model_validate_json(judged.model_dump_json()) == judged, "a job's file carries it"


@pytest.mark.parametrize("author", ["smollm2", "local:", "local: ", "ollama:llama3", "local"])
def test_an_author_of_another_kind_is_told_how_to_be_written(author: str) -> None:
    with pytest.raises(UserError, match="local:MODEL"):
        resolve_settings(environ={}, author=author)


def test_an_author_needs_a_model_that_is_named_and_served() -> None:
    with pytest.raises(UserError, match="no model is named"):
        author_model(ModelSettings(endpoint="http://b/v1"))
    with pytest.raises(UserError, match="no worker serves smollm2"):
        author_model(ModelSettings(author_local="smollm2"))
    assert author_model(ModelSettings(endpoint="http://b/v1", model="m")).name == "m"


async def test_a_served_author_is_recorded_by_its_own_name(tmp_path: Path) -> None:
    log = MemoryLog()
    async with FakeServer(lambda b: "Hello.", uds=tmp_path / "s.sock") as server:
        served = ModelSettings(endpoint=server.url, uds=str(tmp_path / "s.sock"), model="base")
        settings = ModelSettings(author_local="smollm2", author_served=served, endpoint="http://nowhere/v1", model="m")
        for _ in range(2):
            model = author_model(settings, log)
            reply = await model.complete(asked())
            await model.close()
    assert [body["model"] for body in server.requests] == ["base"], "the second is answered from the ledger"
    assert (model.name, reply.model, [call.model for call in log.calls.values()]) == ("smollm2",) * 2 + (["smollm2"],)
