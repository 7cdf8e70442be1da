"""``studio doctor``: what was found, and who could write here."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from studio.build.authors import Roles, recorded_left, roles, who_could_write
from studio.cli import options
from studio.cli.options import OFFLINE, WORKSPACE, asks_models
from studio.cli.output import cell, out, say_json
from studio.doctor import Finding, Listed, environment, findings, reachable_models, smollm2
from studio.errors import UserError
from studio.files import as_seen
from studio.llm import ModelError, ModelSettings, find_servers
from studio.spec import load
from studio.train import SMOLLM2, resolve_base

LEVELS = {"ok": "green", "note": "yellow", "problem": "red"}
ForSpec = Annotated[Path | None, typer.Argument(metavar="SPEC", help="A persona's YAML file: who could write for it.")]


@asks_models("max_cost", "retry_failed")
def doctor(
    spec: ForSpec = None,
    workspace: options.WorkspaceFolder = WORKSPACE,
    settings: ModelSettings = OFFLINE,
    base: options.Base = None,
    as_json: options.AsJson = False,
) -> int:
    """Say what was found: endpoint, models, GPU, memory, libraries, disk, base model, and who could write examples.

    Servers on this machine are looked for on their usual ports, and only told of. Exit status 1 with a problem.

    Example: studio doctor specs/taskmaster.yaml
    """
    loaded = load(spec) if spec else None
    found = environment(
        settings,
        **(roles(settings, loaded) if loaded else Roles()).model_dump(),
        base=base or (loaded.spec.deployment.base_model if loaded else SMOLLM2),
        folder=workspace,
    )
    models, servers = reachable_models(settings), asyncio.run(find_servers())
    judge_models = reachable_models(settings.judging) if settings.judge_endpoint else None
    choices = who_could_write(
        settings,
        spec=as_seen(spec) if spec else "SPEC",
        recorded=recorded_left(loaded, workspace) if loaded else 0,
        servers=servers,
        gpu=found.gpu,
        can_serve=found.can_train,
    )
    report = [Finding("runs on", "ok", found.status_line), *findings(found, models, judge_models), _base(found.base)]
    report += [Finding("author", "ok" if one.ready else "note", one.text, one.how) for one in choices]
    if as_json:
        say_json(
            {
                **found.model_dump(mode="json"),
                "status_line": found.status_line,
                "models": _names(models),
                "judge_models": _names(judge_models),
                "servers": [server.model_dump() for server in servers],
                "authors": [choice.model_dump(mode="json") for choice in choices],
                "findings": [asdict(finding) for finding in report],
            }
        )
    else:
        for finding in report:
            mark = cell(f"{finding.level:<8}")
            mark.stylize(LEVELS[finding.level])
            remedy = f" ({finding.remedy})" if finding.remedy else ""
            out.print(mark, cell(f"{finding.topic:<13} {finding.text}{remedy}"), soft_wrap=True)
    return 1 if any(finding.level == "problem" for finding in report) else 0


def _names(models: Listed) -> list[str] | None:
    return None if models is None or isinstance(models, ModelError) else list(models)


def _base(base: str) -> Finding:
    """Whether it can be had; asks the hub where it is not on this machine."""
    if base == SMOLLM2:
        return smollm2()
    try:
        resolve_base(base)
    except UserError as error:
        where = "" if base in error.message else f"{base}: "
        return Finding("base model", "problem", f"{where}{error.message}", error.remedy)
    return Finding("base model", "ok", base)
