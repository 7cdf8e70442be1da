"""Settings say where models are, and never hold a key."""

from pathlib import Path

import pytest

from studio.errors import UserError
from studio.llm import ModelSettings, author_model, resolve_settings
from studio.llm.settings import Price
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


def test_a_judge_is_asked_where_the_author_is_unless_it_has_an_endpoint_of_its_own() -> None:
    alone = resolve_settings("http://a/v1", "m", environ={}).judging
    assert (alone.endpoint, alone.model) == ("http://a/v1", "m")
    other = resolve_settings("http://a/v1", "m", "j", environ={}).judging
    assert (other.endpoint, other.model) == ("http://a/v1", "j")
    settings = resolve_settings("http://a/v1", "m", "j", environ={}, judge_endpoint="http://b")
    assert (settings.endpoint, settings.model) == ("http://a/v1", "m")
    assert (settings.judging.endpoint, settings.judging.model) == ("http://b/v1", "j")
    unnamed = resolve_settings("http://a/v1", "m", environ={}, judge_endpoint="http://b/v1").judging
    assert unnamed.model is None, "the author's name means nothing there"


def test_a_judge_may_be_there_where_nobody_writes() -> None:
    environ = {"STUDIO_JUDGE_ENDPOINT": "http://b/v1", "STUDIO_JUDGE_MODEL": "j"}
    settings = resolve_settings(environ=environ)
    assert settings.author_offline and not settings.judging.offline
    assert settings.judging.place == "http://b/v1"


def test_each_endpoint_gets_its_own_key() -> None:
    environ = {"OPENAI_API_KEY": "one", "GROQ": "two", "MINE": "three"}
    usual = resolve_settings("http://a/v1", environ=environ, judge_endpoint="http://b/v1")
    assert (usual.key(environ), usual.judging.key(environ)) == ("one", "one")
    named = resolve_settings(
        "http://a/v1", environ=environ, judge_endpoint="http://b/v1", key_variable="GROQ", judge_key_variable="MINE"
    )
    assert (named.key(environ), named.judging.key(environ)) == ("two", "three")
    told = environ | {"STUDIO_KEY_VARIABLE": "MINE", "STUDIO_JUDGE_KEY_VARIABLE": "GROQ"}
    settings = resolve_settings("http://a/v1", environ=told, judge_endpoint="http://b/v1")
    assert (settings.key(told), settings.judging.key(told)) == ("three", "two")


@pytest.mark.parametrize(
    ("name", "told"), [("NONE", "NONE is not set"), ("sk-proj-abc123", "no name of an environment")]
)
def test_a_key_that_was_named_has_to_be_there_and_is_never_quoted(name: str, told: str) -> None:
    with pytest.raises(UserError, match=told) as caught:
        resolve_settings("http://a/v1", environ={}, key_variable=name)
    assert "sk-proj" not in str(caught.value) + caught.value.remedy


def test_a_price_may_be_told_where_no_list_has_it() -> None:
    settings = resolve_settings(
        "http://a/v1", "m", "j", environ={"STUDIO_PRICE": "0.25/2", "STUDIO_JUDGE_PRICE": "1/8"}
    )
    assert settings.price == Price(prompt=0.25, completion=2) and settings.judging.price == Price(
        prompt=1, completion=8
    )
    same = resolve_settings("http://a/v1", "m", environ={"STUDIO_PRICE": "0.25/2"})
    assert same.judging.price == same.price
    other = resolve_settings("http://a/v1", "m", "j", environ={"STUDIO_PRICE": "0.25/2"})
    assert other.judging.price is None, "another model has another price"


@pytest.mark.parametrize("price", ["2", "a/b", "-1/2", "nan/1", "1/2/3"])
def test_what_is_no_price_is_told(price: str) -> None:
    with pytest.raises(UserError, match="the price is none"):
        resolve_settings("http://a/v1", environ={"STUDIO_PRICE": price})
