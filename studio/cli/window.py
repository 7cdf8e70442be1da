"""``studio``: the window."""

from __future__ import annotations

import sys

from studio.cli.options import (
    DEFAULT_SPEC,
    WORKSPACE,
    Author,
    Base,
    Endpoint,
    JudgeModel,
    Model,
    SpecFile,
    WorkspaceFolder,
    named,
)
from studio.doctor import environment
from studio.errors import UserError
from studio.llm import resolve_settings
from studio.train import SMOLLM2


def open_window(
    spec: SpecFile = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    endpoint: Endpoint = None,
    model: Model = None,
    judge_model: JudgeModel = None,
    author: Author = None,
    base: Base = None,
) -> None:
    """Open the window on a spec. Example: studio specs/taskmaster.yaml"""
    if not named(spec).exists():
        remedy = "studio --help lists the commands; studio SPEC.yaml opens the window"
        raise UserError("no such command or spec", where=str(spec), remedy=remedy)
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):  # it draws on stderr
        raise UserError("the window needs a terminal", remedy=f"headless: studio build {spec}")
    from studio.tui import StudioApp

    settings = resolve_settings(endpoint=endpoint, model=model, judge_model=judge_model, author=author)
    StudioApp(
        spec_path=spec.absolute(),
        workspace_root=workspace.absolute(),
        settings=settings,
        environment=environment(settings, base=base or SMOLLM2, folder=workspace),
        base=base,
    ).run()
