"""``studio doctor``: what was found."""

from __future__ import annotations

from studio.cli.options import WORKSPACE, AsJson, Base, Endpoint, JudgeModel, Model, WorkspaceFolder
from studio.cli.output import cell, out, say_json
from studio.doctor import Finding, environment, findings, reachable_models
from studio.errors import UserError
from studio.llm import resolve_settings
from studio.llm.errors import ModelError
from studio.train import SMOLLM2, resolve_base

LEVELS = {"ok": "green", "note": "yellow", "problem": "red"}


def doctor(
    workspace: WorkspaceFolder = WORKSPACE,
    endpoint: Endpoint = None,
    model: Model = None,
    judge_model: JudgeModel = None,
    base: Base = None,
    as_json: AsJson = False,
) -> int:
    """Say what was found: endpoint, models, GPU, memory, libraries, disk, base model. Exit status 1 with a problem.

    Example: studio doctor --endpoint http://localhost:8000/v1 --model my-model
    """
    settings = resolve_settings(endpoint=endpoint, model=model, judge_model=judge_model)
    found = environment(settings, base=base or SMOLLM2, folder=workspace)
    models = reachable_models(settings)
    report = [*findings(found, models), _base(found.base)]
    if as_json:
        listed = None if models is None or isinstance(models, ModelError) else list(models)
        say_json(
            {
                **found.model_dump(mode="json"),
                "status_line": found.status_line,
                "models": listed,
                "findings": [finding.model_dump() for finding in report],
            }
        )
    else:
        for finding in report:
            mark = cell(f"{finding.level:<8}")
            mark.stylize(LEVELS[finding.level])
            remedy = f" ({finding.remedy})" if finding.remedy else ""
            out.print(mark, cell(f"{finding.topic:<12} {finding.text}{remedy}"), soft_wrap=True)
    return 1 if any(finding.level == "problem" for finding in report) else 0


def _base(base: str) -> Finding:
    """Whether it can be had; asks the hub where it is not on this machine."""
    try:
        resolve_base(base)
    except UserError as error:
        where = "" if base in error.message else f"{base}: "
        return Finding(topic="base model", level="problem", text=f"{where}{error.message}", remedy=error.remedy)
    return Finding(topic="base model", level="ok", text=base)
