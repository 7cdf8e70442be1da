"""Packages of a workspace: what is kept of each, and whether its files are still what was packed, by their SHA-256."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Literal

from studio.chatml import Frozen
from studio.errors import UserError
from studio.evaluate.types import Evaluation
from studio.serve.logprobs import Runtime
from studio.store import Workspace

TABLE = "packages"
MANIFEST = "package.json"


class Verification(Frozen):
    """The package loaded back by transformers and peft in a process of its own, and compared with the run.

    ``difference`` is the mean over the taught tokens of the absolute difference between the run's and the package's
    natural log-probability of each; ``largest`` that of the token that differs most.
    """

    verified: bool
    prompt: str = ""
    """The last turn of the first probe, ``reply`` the package's greedy reply to it, ``expected`` the evaluated one."""
    reply: str = ""
    expected: str = ""
    seconds: float
    note: str = ""
    """Why it is not verified, or what else there is to know."""
    probes: int = 0
    tokens: int = 0
    difference: float | None = None
    largest: float | None = None
    tolerance: float | None = None
    runtime: Runtime | None = None
    versions: dict[str, str] = {}
    """Of torch, transformers and peft."""


class Package(Frozen):
    """``packages/<id>/``: the folder to deploy. ``files`` maps each file in it to its SHA-256."""

    id: str
    path: str
    run_id: str
    evaluation_id: str
    spec_hash: str
    files: dict[str, str]
    gates_passed: bool
    verdict: str = ""
    """``approved for deployment``, or what it is instead: a trial never is."""
    verification: Verification
    created: datetime


class PackageStepped(Frozen):
    kind: Literal["package_stepped"] = "package_stepped"
    step: str
    done: int
    total: int


class PackageFinished(Frozen):
    kind: Literal["package_finished"] = "package_finished"
    package: Package


class Check(Frozen):
    """The files of a package against its manifest; ``added`` are those that it does not list."""

    package: str
    files: int
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]

    @property
    def whole(self) -> bool:
        return not (self.changed or self.missing or self.added)


def package_id(slug: str, evaluation: Evaluation) -> str:
    """The same run and evaluation always come to the same package."""
    return f"{slug}-{evaluation.id}"


def check(folder: Path) -> Check:
    """Every file in ``folder`` against the manifest. Raises :class:`UserError` where there is none to compare with."""
    where = str(folder / MANIFEST)
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        name, listed = str(manifest["id"]), {str(file): str(digest) for file, digest in manifest["files"].items()}
    except OSError:
        raise UserError("not a package: it has no manifest", where=where, remedy="name a package's folder") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError("the manifest is damaged", where=where, remedy="pack it again: studio package SPEC") from None
    found = checksums(folder)
    found.pop(MANIFEST, None)
    return Check(
        package=name,
        files=len(listed),
        changed=tuple(file for file, digest in listed.items() if found.get(file, digest) != digest),
        missing=tuple(sorted(set(listed) - set(found))),
        added=tuple(sorted(set(found) - set(listed))),
    )


def checksums(folder: Path) -> dict[str, str]:
    """File (relative, POSIX) -> SHA-256 hex, of everything in ``folder``, in order of name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_sha256(path) for path in files}


def file_sha256(path: Path) -> str:
    """In hex. Weights are read in parts."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keep_package(workspace: Workspace, package: Package) -> None:
    """Remember a package, by its place in the workspace, which may be moved."""
    place = (workspace.packages_dir / package.id).relative_to(workspace.folder)
    workspace.studio.put(TABLE, package.id, package.model_copy(update={"path": place.as_posix()}))


def packages(workspace: Workspace) -> list[Package]:
    """Those whose folder is still there, newest first, each with the path that it has now."""
    known = workspace.studio.readable(TABLE, Package)
    here = [one.model_copy(update={"path": str(workspace.packages_dir / one.id)}) for one in known]
    return sorted((one for one in here if Path(one.path).is_dir()), key=lambda one: one.created, reverse=True)


def find_package(workspace: Workspace, name: str) -> Package | None:
    """A verified package of that name, as it was packed; one that failed its proof or was damaged is made again."""
    found = next((one for one in packages(workspace) if one.id == name and one.verification.verified), None)
    return found if found and found.files.items() <= checksums(Path(found.path)).items() else None
