"""``studio doctor``: what was found."""

from __future__ import annotations

from studio.cli.options import WORKSPACE, AsJson, Base, Endpoint, JudgeModel, Model, WorkspaceFolder
from studio.cli.output import cell, out, say_json
from studio.doctor import environment, findings, reachable_models
from studio.llm import resolve_settings
from studio.llm.errors import ModelError

LEVELS = {"ok": "green", "note": "yellow", "problem": "red"}


def doctor(
    workspace: WorkspaceFolder = WORKSPACE,
    endpoint: Endpoint = None,
    model: Model = None,
    judge_model: JudgeModel = None,
    base: Base = None,
    as_json: AsJson = False,
) -> int:
    """Say what was found: endpoint, models, GPU, memory, libraries, disk, terminal. Exit status 1 with a problem.

    Example: studio doctor --endpoint http://localhost:8000/v1 --model my-model
    """
    settings = resolve_settings(endpoint=endpoint, model=model, judge_model=judge_model)
    found = environment(settings, base=base or "pocket", folder=workspace)
    models = reachable_models(settings)
    report = findings(found, models)
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
