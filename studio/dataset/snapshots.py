"""Snapshots: the dataset of one moment, as frozen lists of ids by side, known by its content.

A snapshot's hash is the SHA-256 of its sorted ids, each with the digest of its text and its side. The texts are not
copied: an example's text and every edit of it stay in the store, where they are found by their digests.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime

from studio.chatml import Frozen, digest
from studio.dataset.export import Export, write_lines
from studio.dataset.read import Accepted, Item, accepted, item_of
from studio.dataset.splits import Piece, Side, validation_of
from studio.embed import Embedder
from studio.errors import UserError
from studio.spec import LoadedSpec
from studio.store import Filter, Workspace

SHARE = 0.1
"""The validation side's part of all, where nobody says otherwise."""
_HEADS, _CONTENTS = "snapshots", "snapshot-contents"
"""Kinds of documents."""
_SHORT = 0.5
"""Of what was asked for: a smaller validation side is told."""


class Snapshot(Frozen):
    """The head of a snapshot; ``train`` and ``validation`` are how many examples each side has."""

    id: str
    hash: str
    spec_hash: str
    created: datetime
    share: float
    """The part of all that was asked for the validation side."""
    train: int
    validation: int
    scenarios: int
    people: int
    left_out: dict[str, int] = {}
    """Accepted but in neither side, by why: as :class:`studio.dataset.Export` counts them."""
    note: str = ""
    """What to know of it; empty where there is nothing."""


class Contents(Frozen):
    """Ids and digests of the texts (:func:`studio.chatml.digest`), by side, sorted."""

    train: dict[str, str] = {}
    validation: dict[str, str] = {}

    @property
    def sides(self) -> dict[str, Side]:
        train: dict[str, Side] = dict.fromkeys(self.train, "train")
        validation: dict[str, Side] = dict.fromkeys(self.validation, "validation")
        return train | validation

    @property
    def digests(self) -> dict[str, str]:
        return self.train | self.validation


class Difference(Frozen):
    """Ids that are in one of two snapshots alone, whose text was edited, and who moved between the sides."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    edited: tuple[str, ...]
    moved: tuple[str, ...]


class NothingAcceptedError(UserError):
    """There is nothing to freeze; ``left_out`` as :attr:`Snapshot.left_out`."""

    def __init__(self, left_out: dict[str, int]) -> None:
        self.left_out = left_out
        remedy = "generate (3) judges them again" if left_out["stale"] else "accept examples in triage first"
        super().__init__("nothing is accepted by this spec", remedy=remedy)


def take_snapshot(
    workspace: Workspace,
    loaded: LoadedSpec,
    share: float | None = None,
    *,
    embedder: Embedder | None = None,
    write: bool = True,
) -> Snapshot:
    """Freeze what is accepted now; where a snapshot of just this is there already, that one.

    ``share`` of the examples, 0 to 0.5, make the validation side (:func:`studio.dataset.splits.validation_of`); without
    it as many as in the newest snapshot, if that has such a side, else 0.1. With ``embedder`` near-duplicates in
    meaning stay on one side too: some 10 ms an example, once. Without ``write`` nothing is kept.
    Raises UserError where nothing is accepted.
    """
    return _take(workspace, loaded, accepted(workspace, loaded), share, embedder, write)[0]


def snapshots(workspace: Workspace) -> list[Snapshot]:
    """All, in the order in which they were taken."""
    return workspace.documents.all(_HEADS, Snapshot)


def find_snapshot(workspace: Workspace, id: str) -> Snapshot:
    """By its id or how that begins. Raises UserError where there is none, or several."""
    known = snapshots(workspace)
    found = [one for one in known if one.id == id] or [one for one in known if id and one.id.startswith(id)]
    if len(found) != 1:
        there = ", ".join(one.id for one in (found or known)[-5:])
        told = "several snapshots begin so" if found else "no such snapshot"
        raise UserError(told, where=id, remedy=f"snapshots: {there or 'none yet; studio dataset snapshot takes one'}")
    return found[0]


def contents(workspace: Workspace, id: str) -> Contents:
    """Who is in a snapshot. Raises UserError where there is none."""
    kept = workspace.documents.get(_CONTENTS, id, Contents)
    if kept is None:
        raise UserError("no such snapshot", where=id)
    return kept


def diff(before: Contents, after: Contents) -> Difference:
    """What became of the examples of one snapshot in another; an edited one may have moved, too."""
    old, new, sides = before.digests, after.digests, before.sides
    both = old.keys() & new.keys()
    return Difference(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        edited=tuple(sorted(one for one in both if old[one] != new[one])),
        moved=tuple(sorted(one for one, side in after.sides.items() if one in both and sides[one] != side)),
    )


def frozen_items(
    workspace: Workspace, loaded: LoadedSpec, snapshot: str | None = None, *, write: bool = True
) -> tuple[Snapshot, list[tuple[Item, Side]]]:
    """A snapshot, and its conversations with their sides, each as it was then.

    Without ``snapshot`` it is that of now: the newest, where it holds just what is accepted now, else one that is taken
    now and goes on from it, with the same share for validation; the first one has no validation side unless
    :func:`take_snapshot` made it. Without ``write`` nothing is kept.
    Raises UserError where there is none, or where a text is no longer there.
    """
    if snapshot is None:
        now, newest = accepted(workspace, loaded), _newest(workspace)
        head, sides = _take(workspace, loaded, now, newest.share if newest else 0.0, None, write)
        return head, [(item, sides[item.text.id]) for item in now.items]
    head = find_snapshot(workspace, snapshot)
    kept = contents(workspace, head.id)
    sides, digests = kept.sides, kept.digests
    found = []
    for text in workspace.examples.texts(Filter(ids=tuple(sorted(digests)))):
        messages = text.messages
        if digest(messages) != digests[text.id]:
            then = (one for one in workspace.examples.versions(text.id) if digest(one) == digests[text.id])
            messages = next(then, ())
        if not messages:
            raise UserError(f"the text of {text.id} is no longer there", remedy="take a new snapshot")
        found.append((item_of(text._replace(messages=messages)), sides[text.id]))
    if len(found) < len(digests):
        raise UserError(f"{len(digests) - len(found)} examples of the snapshot are no longer there", where=head.id)
    return head, found


def training_data(
    workspace: Workspace, loaded: LoadedSpec, snapshot: str | None = None, *, write: bool = True
) -> Export:
    """What a run is trained on: the train side of a snapshot as ChatML, and its validation side beside it.

    The snapshot is chosen as by :func:`frozen_items`; ``count`` is 0 where nothing is accepted.
    """
    try:
        head, items = frozen_items(workspace, loaded, snapshot, write=write)
    except NothingAcceptedError as error:
        return write_lines(workspace, {}, error.left_out, write=write)
    lines: dict[Side, dict[bytes, str]] = {"train": {}, "validation": {}}
    for item, side in items:
        lines[side][item.key] = item.line
    export = write_lines(workspace, lines["train"], head.left_out, write=write)
    told: dict[str, object] = {"snapshot": head.id}
    if lines["validation"]:
        validation = write_lines(workspace, lines["validation"], {}, write=write, name="validation")
        told |= {"validation_path": validation.path, "validation_count": validation.count}
    return export.model_copy(update=told)


def _newest(workspace: Workspace) -> Snapshot | None:
    ids = workspace.documents.ids(_HEADS)
    return workspace.documents.get(_HEADS, ids[-1], Snapshot) if ids else None


def _take(
    workspace: Workspace,
    loaded: LoadedSpec,
    now: Accepted,
    share: float | None,
    embedder: Embedder | None,
    write: bool,
) -> tuple[Snapshot, dict[str, Side]]:
    if not now.items:
        raise NothingAcceptedError(now.left_out)
    newest = _newest(workspace)
    before = contents(workspace, newest.id) if newest else Contents()
    if share is None:
        share = newest.share if newest and newest.share else SHARE
    digests = {item.text.id: digest(item.text.messages) for item in now.items}
    if newest is not None and newest.share == share and before.digests == digests and not embedder:
        return newest, before.sides
    goes_on = newest is not None and newest.share == share
    nobody = _nobody(workspace, now)
    pieces = [
        Piece(
            one.id, f"{one.category}\x1f{one.scenario}", "" if one.person_id in nobody else one.person_id, one.messages
        )
        for one in (item.text for item in now.items)
    ]
    validation = validation_of(pieces, share, before=before.sides if goes_on else None, embedder=embedder)
    sides: dict[str, Side] = {name: "validation" if name in validation else "train" for name in sorted(digests)}
    mark = hashlib.sha256("".join(f"{one} {digests[one]} {side}\n" for one, side in sides.items()).encode()).hexdigest()
    wanted = round(share * len(pieces))
    few = len(validation) < _SHORT * wanted
    head = Snapshot(
        id=f"data-{mark[:10]}",
        hash=mark,
        spec_hash=loaded.hash,
        created=datetime.now(UTC),
        share=share,
        train=len(pieces) - len(validation),
        validation=len(validation),
        scenarios=len({piece.scenario for piece in pieces}),
        people=len({piece.person_id for piece in pieces} - {""}),
        left_out=now.left_out,
        note=f"{len(validation)} of {wanted} could be held back: the others are too much alike" if few else "",
    )
    if write and not workspace.read_only:
        lists = {
            side: {name: digests[name] for name, its in sides.items() if its == side} for side in set(sides.values())
        }
        workspace.documents.put(_CONTENTS, head.id, Contents.model_validate(lists))
        head = workspace.documents.update(_HEADS, head.id, Snapshot, lambda there: there or head)
    return head, sides


def _nobody(workspace: Workspace, now: Accepted) -> set[str]:
    """Ids of people who speak more than once and of whom nothing is known: they are no person."""
    often = (name for name, count in Counter(item.text.person_id for item in now.items).items() if count > 1)
    people = {name: workspace.examples.person(name) for name in often}
    return {name for name, one in people.items() if one is None or not (one.name or one.background or one.role)}
