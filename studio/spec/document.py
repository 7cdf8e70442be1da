"""A spec file that is being edited, as text or by key."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from studio.errors import UserError
from studio.files import write_atomic
from studio.spec import editing
from studio.spec.loading import LoadedSpec, check
from studio.spec.node import Node
from studio.spec.node import Path as KeyPath
from studio.spec.problems import Problem, SpecError
from studio.spec.reading import UnreadableError, read_text


class SpecDocument:
    """The text of a spec between opening and saving. Make it with :meth:`open`.

    Keys are dotted, as in a :class:`Problem`: ``name``, ``traits.0.is``, ``scenarios.edge_cases.items.2``.
    """

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self._text = self._saved = text

    @classmethod
    def open(cls, path: Path | str) -> SpecDocument:
        """The document in ``path``, valid or not; raises SpecError where it is no text file."""
        return cls(Path(path), _read(Path(path)))

    @property
    def text(self) -> str:
        return self._text

    @text.setter
    def text(self, text: str) -> None:
        self._text = text

    @property
    def changed(self) -> bool:
        """True where there is something to save."""
        return self._text != self._saved

    @property
    def changed_on_disk(self) -> bool:
        """True where somebody else wrote or removed the file since it was opened or saved here."""
        try:
            return _read(self.path) != self._saved
        except SpecError:
            return True

    def get(self, key: str | KeyPath, default: Any = None) -> Any:
        """The plain value at ``key`` (dicts, tuples, scalars); ``default`` where there is none."""
        root = self._root()
        node = root.at(*editing.find_path(root, key))
        return default if node is None else node.plain()

    def set(self, key: str | KeyPath, value: Any) -> None:
        """Put ``value`` at ``key``, making what is missing on the way; an empty list or mapping removes the key.

        Raises UserError for a place that cannot be, SpecError where the text as it stands is no YAML.
        """
        self._root()
        self._text = editing.set_value(self._text, key, value)

    def append(self, key: str | KeyPath, value: Any) -> None:
        """Add ``value`` to the end of the list at ``key``, which is made where it is missing."""
        self._root()
        self._text = editing.append_value(self._text, key, value)

    def remove(self, key: str | KeyPath) -> None:
        """Take out what stands at ``key``; a list that would be left empty goes with it."""
        self._root()
        self._text = editing.remove_value(self._text, key)

    def _root(self) -> Node:
        """The tree of the text; raises SpecError, naming the file, where it has none."""
        return editing.read_root(self._text, str(self.path))

    def check(self) -> tuple[LoadedSpec | None, tuple[Problem, ...]]:
        """The spec as it stands in the editor, or all that is wrong with it."""
        return check(self._text, self.path)

    def save(self, *, overwrite: bool = False) -> LoadedSpec:
        """Write the file and return the spec in it.

        Raises SpecError, and writes nothing, while there is a problem; UserError where the file cannot be written, or
        was changed on disk since it was opened, unless ``overwrite``.
        """
        loaded, problems = self.check()
        if loaded is None:
            raise SpecError(problems)
        if not overwrite and self.changed_on_disk:
            raise UserError(
                "the file was changed on disk since it was opened", remedy="reload it", where=str(self.path)
            )
        try:
            target = self.path.resolve()  # a link stays a link
            mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644
            write_atomic(target, self._text, mode=mode)
        except (OSError, RuntimeError) as error:  # until Python 3.13 links in a circle are a RuntimeError
            why = getattr(error, "strerror", None) or error
            raise UserError(f"cannot be written: {why}", where=str(self.path)) from None
        self._saved = self._text
        return loaded

    def reload(self) -> None:
        """Take the text from the disk again; what was not saved is lost."""
        self._text = self._saved = _read(self.path)


def _read(path: Path) -> str:
    try:
        return read_text(path)
    except UnreadableError as error:
        raise SpecError([Problem(file=str(path), line=error.line, key="", message=str(error))]) from None
