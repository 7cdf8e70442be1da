"""Whose work a workspace holds: names that differ in signs alone (C++ Coach, C# Coach) come to the same folder."""

from __future__ import annotations

from pathlib import Path

from studio.chatml import Frozen, Unicode
from studio.errors import UserError
from studio.store.studiofile import StudioFile

TABLE, KEY = "persona", "owner"


class Owner(Frozen):
    """A persona by its name and by the file of its spec."""

    name: Unicode
    spec: Unicode

    @classmethod
    def of(cls, name: str, spec: Path) -> Owner:
        return cls(name=name, spec=str(spec.resolve()))

    def may_follow(self, before: Owner) -> bool:
        """Whether it is the same persona: moved to another file, or given another name in its own."""
        return self.spec == before.spec or _plain(self.name) == _plain(before.name)


def claim(file: StudioFile, owner: Owner) -> None:
    """Keep the name of the persona in its workspace; raises :class:`UserError` in the workspace of another one."""
    before = file.get(TABLE, KEY, Owner)
    if before == owner:
        return
    if before is not None and not owner.may_follow(before):
        raise UserError(
            f"holds the work of {before.name} ({before.spec}), not of {owner.name}",
            where=str(file.path.parent),
            remedy="give one of them a name with other letters, or choose another --workspace; "
            f"where {before.name} was renamed, write its new name into {file.path.name}",
        )
    file.put(TABLE, KEY, owner)


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
