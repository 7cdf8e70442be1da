"""Algebra: whether two expressions are equal, decided by sympy in a process of its own, within a time and memory limit.

sympy is given a tree that was built node by node from :func:`.expression.parse`, never a text: its own parser evaluates
what it reads. A comparison that takes too long ends the process, and the next one begins another.
"""

from __future__ import annotations

import ast
import json
import os
import resource
import select
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from studio.generate.recipes.expression import CONSTANTS, ExpressionError, parse

LIMIT_S, START_S = 5.0, 60.0
"""For one comparison, and for sympy to be there."""
_MEMORY, _CPU_S = 2 << 30, 600
"""The most memory, and the most time of computing in all, so that it ends where nobody is left to end it."""
_MOST_EXPONENT = 1000


class Algebra:
    """Compares expressions. For use by several threads; :meth:`close` ends its process."""

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def equal(self, first: str, second: str) -> bool | None:
        """Whether two expressions are equal for all values of their names; None where that could not be told."""
        with self._lock:
            process = self._process if self._process is not None and self._process.poll() is None else self._begin()
            if process is None or process.stdin is None:
                return None
            try:
                process.stdin.write(json.dumps([first, second]).encode() + b"\n")
                process.stdin.flush()
            except OSError:
                self._end()
                return None
            answer = self._line(process, self._limit_s)
            if not answer:
                self._end()
                return None
            value = json.loads(answer)
            return value if isinstance(value, bool) else None

    def close(self) -> None:
        with self._lock:
            self._end()

    def _begin(self) -> subprocess.Popen[bytes] | None:
        self._end()
        path = os.pathsep.join(str(Path(place).absolute()) for place in sys.path)
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-m",
                "studio.generate.recipes.algebra",
            ],  # nothing of the working folder is imported
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
        )
        if self._line(self._process, START_S) != b"ready\n":
            self._end()
        return self._process

    def _line(self, process: subprocess.Popen[bytes], seconds: float) -> bytes:
        """A line that it wrote within the time; empty where there was none. One is short enough to come whole."""
        if process.stdout is None or not select.select([process.stdout], [], [], seconds)[0]:
            return b""
        return os.read(process.stdout.fileno(), 64)

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def to_sympy(node: ast.expr) -> Any:
    """The sympy expression of a tree. Raises :class:`ExpressionError` where a power is too high to be tried."""
    import sympy

    if isinstance(node, ast.Constant):
        return sympy.Rational(str(node.value))
    if isinstance(node, ast.Name):
        return {"pi": sympy.pi, "e": sympy.E}[node.id] if node.id in CONSTANTS else sympy.Symbol(node.id, real=True)
    if isinstance(node, ast.UnaryOp):
        value = to_sympy(node.operand)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        name = {"ln": "log", "abs": "Abs"}.get(node.func.id, node.func.id)
        return getattr(sympy, name)(to_sympy(node.args[0]))
    if not isinstance(node, ast.BinOp):
        raise ExpressionError(type(node).__name__)
    left, right = to_sympy(node.left), to_sympy(node.right)
    if isinstance(node.op, ast.Pow):
        if right.is_number and abs(right) > _MOST_EXPONENT:
            raise ExpressionError("the power is too high")
        return left**right
    if isinstance(node.op, ast.Div):
        return left / right
    if isinstance(node.op, ast.Mult):
        return left * right
    return left - right if isinstance(node.op, ast.Sub) else left + right


def _same(first: str, second: str) -> bool | None:
    import sympy

    try:
        rest = to_sympy(parse(first)) - to_sympy(parse(second))
        found = rest.equals(0)
        return bool(found) if found is not None else bool(sympy.simplify(rest) == 0)
    except Exception:  # whatever a library of mathematics comes to over garbage: it could not be told
        return None


def main() -> None:
    """Answer a line of two expressions with ``true``, ``false`` or ``null`` until there are no more."""
    import sympy  # noqa: F401  half a second, before any limit runs

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        first, second = json.loads(line)
        sys.stdout.write(json.dumps(_same(first, second)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
