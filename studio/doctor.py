"""What this machine and this environment can do, found without importing any of the heavy libraries."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import psutil

from studio.chatml import Frozen
from studio.llm import ModelSettings
from studio.llm.errors import ModelError
from studio.train.smollm2 import SMOLLM2
from studio.train.unsloth import INSTALL, unsloth_version

GIB = 1024**3
TRAINING = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")
OPTIONAL = {
    "unsloth": ("faster training on CUDA", INSTALL),
    "bitsandbytes": ("QLoRA: 4-bit base models", "pip install '.[gpu]'"),
}
"""What each is good for, and how it is installed."""


class Gpu(Frozen):
    """One CUDA device as ``nvidia-smi`` names it; memory in GiB."""

    name: str
    memory_gib: float
    free_gib: float


class Environment(Frozen):
    """What was found. ``packages`` maps a library to its version, or to None where it is not installed."""

    author: str
    judge: str
    endpoint: str | None
    base: str
    gpus: tuple[Gpu, ...]
    """Those that programs may see (``CUDA_VISIBLE_DEVICES``)."""
    cuda: bool
    """Whether the installed torch was built for them."""
    cores: int
    memory_gib: float
    memory_free_gib: float
    disk_free_gib: float
    packages: dict[str, str | None]
    terminal: dict[str, str]

    @property
    def device(self) -> str:
        """What training and serving run on."""
        return self.gpus[0].name if self.gpus and self.cuda else "CPU"

    @property
    def can_train(self) -> bool:
        return all(self.packages[name] for name in TRAINING)

    @property
    def base_label(self) -> str:
        return "SmolLM2-135M" if self.base == SMOLLM2 else self.base

    def on(self, base: str) -> Environment:
        """The same with another base model."""
        return self.model_copy(update={"base": base})

    @property
    def status_line(self) -> str:
        """What the studio runs on, in one line: ``offline author · rules judge · SmolLM2-135M · CPU``."""
        return " · ".join((*self._models, self.base_label, self.device))

    @property
    def short_line(self) -> str:
        """The same where there is little room: ``offline · rules · smollm2 · CPU``."""
        models = ("offline", "rules") if self.endpoint is None else self._models
        return " · ".join((*models, self.base.rpartition("/")[2], self.device))

    @property
    def _models(self) -> tuple[str, ...]:
        """Which model does what. One at an endpoint may have any name, so it is said what it is for."""
        if self.endpoint is None:
            return self.author, self.judge
        if self.author == self.judge:
            return (f"{self.author} writes and judges",)
        return f"{self.author} writes", f"{self.judge} judges"


class Finding(Frozen):
    """One line of the report. ``level`` is ``ok``, ``note`` (works, but know this) or ``problem``."""

    topic: str
    level: str
    text: str
    remedy: str = ""


def environment(
    settings: ModelSettings,
    *,
    base: str = SMOLLM2,
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Environment:
    """Look around once. Takes some 10 ms, and up to 5 s where ``nvidia-smi`` is slow."""
    memory, variables = psutil.virtual_memory(), os.environ if environ is None else environ
    return Environment(
        author="offline author" if settings.offline else settings.model or "remote author",
        judge="rules judge" if settings.offline else settings.judge_model or settings.model or "remote judge",
        endpoint=settings.endpoint,
        base=base,
        gpus=find_gpus(variables.get("CUDA_VISIBLE_DEVICES")),
        cuda=torch_has_cuda(),
        cores=os.cpu_count() or 1,
        memory_gib=round(memory.total / GIB, 1),
        memory_free_gib=round(memory.available / GIB, 1),
        disk_free_gib=round(shutil.disk_usage(_existing(folder or Path.cwd())).free / GIB, 1),
        packages={**{name: installed(name) for name in (*TRAINING, "bitsandbytes")}, "unsloth": unsloth_version()},
        terminal=_terminal(variables),
    )


def find_gpus(visible: str | None = None) -> tuple[Gpu, ...]:
    """The CUDA devices that ``visible`` (``CUDA_VISIBLE_DEVICES``) leaves; none where ``nvidia-smi`` is missing, fails
    or hangs."""
    query = ["nvidia-smi", "--query-gpu=uuid,name,memory.total,memory.free", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    found = [gpu for line in answer.stdout.splitlines() if (gpu := _gpu(line))]
    if visible is None or visible.startswith("MIG-"):  # a part of a GPU, which is not listed
        return tuple(gpu for _, gpu in found)
    return tuple(_visible(found, visible))


def _gpu(line: str) -> tuple[str, Gpu] | None:
    try:
        uuid, rest = line.split(",", 1)
        name, total, free = rest.rsplit(",", 2)
        gpu = Gpu(name=name.strip(), memory_gib=round(float(total) / 1024, 1), free_gib=round(float(free) / 1024, 1))
    except ValueError:
        return None  # a driver that answers in other words
    return uuid.strip(), gpu


def _visible(found: Sequence[tuple[str, Gpu]], visible: str) -> Iterator[Gpu]:
    """By index or by how the UUID begins, in the order given; what follows one that is not there is not seen."""
    for name in (part.strip() for part in visible.split(",")):
        chosen = [
            gpu for index, (uuid, gpu) in enumerate(found) if name and (name == str(index) or uuid.startswith(name))
        ]
        if len(chosen) != 1:
            return
        yield chosen[0]


def torch_has_cuda() -> bool:
    """Whether torch is installed in a build for CUDA (or ROCm); it is looked up, not imported."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    try:
        built_for = (Path(spec.origin).parent / "version.py").read_text(encoding="utf-8")
    except OSError:
        return False
    return re.search(r"^(cuda|hip)\b[^=\n]*= *['\"]", built_for, re.MULTILINE) is not None


def installed(package: str) -> str | None:
    """The version of an installed distribution, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def reachable_models(settings: ModelSettings) -> tuple[str, ...] | ModelError | None:
    """The models that the endpoint lists, or the error that came instead; None where there is no endpoint."""
    if settings.offline:
        return None
    from studio.llm import list_models

    try:
        return tuple(list_models(settings))
    except ModelError as error:
        return error


def findings(found: Environment, models: tuple[str, ...] | ModelError | None) -> list[Finding]:
    """The report, in the order in which a user meets the stages."""
    return [_endpoint(found, models), *_training(found), *_machine(found), _terminal_finding(found)]


def _endpoint(found: Environment, models: tuple[str, ...] | ModelError | None) -> Finding:
    if models is None:
        text = "none: the offline author writes from the spec's own examples and the rules judge scores by its rules"
        return Finding(
            topic="endpoint", level="note", text=text, remedy="set OPENAI_API_KEY, or --endpoint and --model"
        )
    where = found.endpoint or "the OpenAI API"
    if isinstance(models, ModelError):
        return Finding(topic="endpoint", level="problem", text=f"{where}: {models}")
    for name, option in ((found.author, "--model"), (found.judge, "--judge-model")):
        if name not in models:
            remedy = f"{option} one of: {', '.join(models[:8])}" if models else "load a model on the server"
            text = f"{where}: answers, but does not list the model {name}"
            return Finding(topic="endpoint", level="problem", text=text, remedy=remedy)
    text = f"{where}: {len(models)} models; author {found.author}, judge {found.judge}"
    return Finding(topic="endpoint", level="ok", text=text)


def _training(found: Environment) -> list[Finding]:
    missing = [name for name in TRAINING if not found.packages[name]]
    if missing:
        text = f"not installed: {', '.join(missing)}"
        training = Finding(topic="training", level="problem", text=text, remedy="pip install '.[train]'")
    else:
        text = ", ".join(f"{name} {found.packages[name]}" for name in TRAINING[:4])
        training = Finding(topic="training", level="ok", text=text)
    optional = [_optional(name, found) for name in OPTIONAL]
    return [training, *optional, _gpu_finding(found)]


def _optional(name: str, found: Environment) -> Finding:
    have = found.packages[name]
    if have:
        return Finding(topic=name, level="ok", text=have)
    use, remedy = OPTIONAL[name]
    return Finding(topic=name, level="note", text=f"not installed ({use})", remedy=remedy)


def _gpu_finding(found: Environment) -> Finding:
    if not found.gpus:
        text = "none found: SmolLM2-135M trains on the CPU; larger base models want CUDA"
        return Finding(topic="gpu", level="note", text=text)
    text = "; ".join(f"{gpu.name}, {gpu.free_gib:g} of {gpu.memory_gib:g} GiB free" for gpu in found.gpus)
    if not found.cuda:
        remedy = "install a torch that is built for CUDA: see https://pytorch.org/get-started/locally"
        return Finding(topic="gpu", level="note", text=f"{text}; not used: torch is a CPU build", remedy=remedy)
    return Finding(topic="gpu", level="ok", text=text)


def _machine(found: Environment) -> list[Finding]:
    memory = f"{found.cores} cores, {found.memory_free_gib:g} of {found.memory_gib:g} GiB free"
    low_disk = found.disk_free_gib < 2
    return [
        Finding(topic="memory", level="ok" if found.memory_free_gib >= 2 else "problem", text=memory),
        Finding(
            topic="disk",
            level="problem" if low_disk else "ok",
            text=f"{found.disk_free_gib:g} GiB free",
            remedy="free some space: checkpoints and packages need about 2 GiB" if low_disk else "",
        ),
    ]


def _terminal(environ: Mapping[str, str]) -> dict[str, str]:
    size = shutil.get_terminal_size()
    return {
        "term": environ.get("TERM", "none"),
        "colour": environ.get("COLORTERM", ""),
        "size": f"{size.columns}x{size.lines}",
        "multiplexer": "tmux" if environ.get("TMUX") else "screen" if environ.get("STY") else "",
        "remote": "ssh" if environ.get("SSH_CONNECTION") else "",
    }


def _terminal_finding(found: Environment) -> Finding:
    told = found.terminal
    parts = [told["term"], told["size"], told["colour"], told["multiplexer"], told["remote"]]
    columns, rows = (int(part) for part in told["size"].split("x"))
    small = columns < 80 or rows < 24
    return Finding(
        topic="terminal",
        level="note" if small else "ok",
        text=", ".join(part for part in parts if part),
        remedy="the window is made for 80x24 and larger" if small else "",
    )


def _existing(folder: Path) -> Path:
    """The nearest folder at or above ``folder`` that exists, to ask for its free space."""
    return next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
