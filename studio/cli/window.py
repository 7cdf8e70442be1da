"""``studio``: the window."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading

from studio.cli import options
from studio.cli.options import DEFAULT_SPEC, OFFLINE, WORKSPACE, asks_models, named
from studio.doctor import environment
from studio.errors import UserError
from studio.llm import ModelSettings
from studio.train import SMOLLM2


@asks_models("retry_failed")
def open_window(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    settings: ModelSettings = OFFLINE,
    base: options.Base = None,
) -> None:
    """Open the window on a spec. Example: studio specs/taskmaster.yaml"""
    if not named(spec).exists():
        remedy = "studio --help lists the commands; studio SPEC.yaml opens the window"
        raise UserError("no such command or spec", where=str(spec), remedy=remedy)
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):  # it draws on stderr
        raise UserError("the window needs a terminal", remedy=f"headless: studio build {spec}")
    from studio.tui import StudioApp

    _end_with_terminal()
    StudioApp(
        spec_path=spec.absolute(),
        workspace_root=workspace.absolute(),
        settings=settings,
        environment=environment(settings, base=base or SMOLLM2, folder=workspace),
        base=base,
    ).run()


def _end_with_terminal() -> None:
    """Whoever ignores hangups (``nohup``, many services) hands that down, and some terminals go without one: the window
    would read from nowhere for ever, at full speed."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    gone = select.poll()
    gone.register(sys.stdin, 0)  # a hangup is always told

    def wait() -> None:
        gone.poll()
        os.kill(os.getpid(), signal.SIGHUP)

    threading.Thread(target=wait, name="terminal", daemon=True).start()
