"""Choosing how a base model is loaded."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from transformers import set_seed

from studio.errors import UserError
from studio.train.types import Backend, Recipe
from studio.train.unsloth import import_error, import_unsloth, unsloth_version
from studio.train.worker import loading
from studio.train.worker.loading import load
from studio.train.worker.placement import Placement, choose_backend
from studio.train.worker.progress import Control
from studio.train.worker.run import train
from tests.tiny_model import tiny_base
from tests.train.making import make_plan

CPU, CUDA = Placement("cpu", torch.float32), Placement("cuda", torch.bfloat16)


def test_the_first_weights_of_an_adapter_follow_the_seed() -> None:
    def drawn(seed: int) -> torch.Tensor:
        set_seed(seed)
        model = load(tiny_base(), Recipe(rank=2), CPU).model
        return next(value for name, value in model.named_parameters() if "lora_A" in name).detach()

    assert torch.equal(drawn(1), drawn(1)) and not torch.equal(drawn(1), drawn(2))


def install_unsloth(folder: Path, code: str = "HERE = True") -> Path:
    """A stand-in: a distribution by its name, and the ``studio`` package that comes with it."""
    info = folder / "unsloth-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: unsloth\nVersion: 1.2\n")
    (folder / "studio").mkdir()
    (folder / "studio" / "__init__.py").write_text("raise ImportError('not this one')")
    (folder / "unsloth.py").write_text(f"import studio.errors\n{code}\n")
    return folder


def test_unsloth_is_found_in_its_folder_and_does_not_take_our_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("UNSLOTH_COMPILE_LOCATION", "")
    monkeypatch.delenv("UNSLOTH_COMPILE_LOCATION")
    folder = install_unsloth(tmp_path / "unsloth")
    assert unsloth_version(folder) == "1.2" and unsloth_version(tmp_path) is None
    assert import_unsloth(folder).HERE
    assert os.environ["UNSLOTH_COMPILE_LOCATION"].startswith(str(folder)), "nothing is written where one happens to be"
    del sys.modules["unsloth"]


@pytest.mark.parametrize(
    ("wanted", "base", "placement", "installed", "chosen"),
    [
        ("auto", "some/model", CUDA, True, "unsloth"),
        ("auto", "some/model", CUDA, False, "peft"),
        ("auto", "some/model", CPU, True, "peft"),
        ("auto", "smollm2", CUDA, True, "peft"),
        ("peft", "some/model", CUDA, True, "peft"),
        ("unsloth", "some/model", CPU, True, "unsloth"),
        ("unsloth", "smollm2", CUDA, True, "unsloth"),
    ],
)
def test_unsloth_is_used_on_a_gpu_where_it_is_installed_and_worth_its_start(
    wanted: Backend, base: str, placement: Placement, installed: bool, chosen: str, tmp_path: Path
) -> None:
    folder = install_unsloth(tmp_path) if installed else tmp_path
    assert choose_backend(Recipe(backend=wanted), base, placement, folder) == (chosen, "")


def test_an_unsloth_that_was_imported_once_is_not_tried_again_until_something_changes(tmp_path: Path) -> None:
    tries = tmp_path / "tries"
    folder = install_unsloth(tmp_path / "unsloth", f"open({str(tries)!r}, 'a').write('x')")
    for _ in range(2):
        assert import_error(folder) == ""
    assert tries.read_text() == "x"
    (folder / "unsloth-1.2.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: unsloth\nVersion: 1.3\n")
    assert import_error(folder) == "" and tries.read_text() == "xx"


def test_an_unsloth_that_cannot_be_imported_is_done_without_unless_it_was_asked_for(tmp_path: Path) -> None:
    folder = install_unsloth(tmp_path, "import no_such_image_library")
    chosen, note = choose_backend(Recipe(), "some/model", CUDA, folder)
    assert chosen == "peft" and "No module named 'no_such_image_library'" in note
    with pytest.raises(UserError, match=r"no_such_image_library.*--upgrade.*pillow.*backend peft"):
        choose_backend(Recipe(backend="unsloth"), "some/model", CUDA, folder)


def test_how_to_install_unsloth_can_be_pasted_whatever_the_folder_is_called() -> None:
    code = "import sys; sys.prefix = '/my env'; from studio.train.unsloth import INSTALL; print(INSTALL)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    words = shlex.split(told)
    assert words[words.index("--target") + 1] == "/my env/unsloth" and "--upgrade" in words


def test_what_is_not_installed_is_named_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"unsloth is not installed .*--target"):
        choose_backend(Recipe(backend="unsloth"), "some/model", CPU, tmp_path)
    with pytest.raises(UserError, match=r"qlora needs bitsandbytes .*\[gpu\]"):
        load(tiny_base(), Recipe(method="qlora"), CPU)


@pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
def test_qlora_trains_on_four_bits(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, method="qlora", epochs=1)
    finished = train(plan, tmp_path / "run", Control(lambda event: None))
    assert finished.steps == plan.steps and Path(finished.adapter_path).is_dir()
