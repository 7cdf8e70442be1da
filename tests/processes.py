"""Processes as a person's shell would start them, however the tests themselves were started."""

from __future__ import annotations

import signal


def default_signals() -> None:
    """For ``preexec_fn``: ctrl+c and a hangup reach the process.

    ``nohup`` ignores SIGHUP, the shell of a background job SIGINT, and whatever they start inherits that.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
