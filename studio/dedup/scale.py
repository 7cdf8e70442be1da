"""Near-duplicates at scale: MinHash LSH over a file in parts, on Daft, on this machine or on a Ray cluster.

Parts are read and signed where they are; what shares an LSH key becomes a candidate pair, and the exact Jaccard
similarity of their sets decides, as in :mod:`studio.dedup.near`. Then in the order of the file whoever is like one that
stays goes, so that each removal has a twin that stays and is itself as like as asked for: connected components would
also remove who is like nobody but those removed. The answer depends on the texts alone, never on parts or engine.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from studio.dedup.minhash import BANDS, Signer
from studio.dedup.near import shingles
from studio.dedup.pairs import candidates, first_stays, similarity
from studio.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TOGETHER = 1024
"""Texts that are signed at once."""
_SLICE = 500_000
"""Keys that are sorted at once in one group."""
_VERIFIED = 20_000
"""Pairs that are verified at once."""
_PATIENCE_S = 5.0
"""For a cluster to answer at all."""

Read = Callable[[Any], Iterator[tuple[int, str | None]]]
"""The records of a part in their order: number in the whole file, from 0, and text; None for one that is unreadable."""


@dataclass(frozen=True)
class Duplicates:
    """Of ``records`` those who go: ``gone`` in ascending order, their ``twins`` and the Jaccard ``similarity``.

    ``unreadable`` are numbers of records without a text; ``crowds`` is how many keys were shared by more than
    :data:`studio.dedup.pairs.CROWD` texts.
    """

    records: int
    gone: NDArray[np.int64]
    twins: NDArray[np.int64]
    similarity: NDArray[np.float64]
    candidates: int
    unreadable: NDArray[np.int64]
    crowds: int


def near_duplicates(
    parts: Sequence[Any],
    read: Read,
    threshold: float,
    *,
    ray: str | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Duplicates:
    """Who of all records goes, since an earlier one that stays is as alike as ``threshold``, of ``minhash.BANDS``.

    ``parts`` and ``read`` are pickled, and read where they are sent. ``ray`` is the address of a cluster whose machines
    have the studio and the file, or ``local``; None uses the cores of this process. One process has one engine. Raises
    :class:`studio.errors.UserError` where Daft or Ray is not installed, or the cluster is not there.
    """
    import numpy as np

    daft = _engine(ray)
    from daft import DataType, col

    cores = _cores(ray)
    signed = _signed(daft, parts, read, threshold, cores)
    records = signed.count_rows()
    told(f"{records} read and signed")
    unreadable = _column(signed.where(col("pieces").is_null()).select("number"), "number", np.int64)
    unreadable.sort()

    groups = 1 + records * (1 + BANDS[threshold][0]) // _SLICE
    pair = daft.func.batch(return_dtype=DataType.struct({"first": DataType.int64(), "second": DataType.int64()}))(
        candidates
    )
    pairs = (
        signed.where(col("whole") != 0)
        .select("number", "whole", "keys")
        .explode("keys")
        .with_column("group", col("keys") % groups)
        .groupby("group")
        .map_groups(pair(col("keys"), col("whole"), col("number")).alias("pair"))
        .select(col("pair").get("first").alias("first"), col("pair").get("second").alias("second"))
        .distinct()
        .collect()
    )
    crowds = pairs.where(col("first") < 0).count_rows()
    told(f"{len(pairs) - crowds} candidate pairs")
    sets = signed.select("number", "pieces")
    compare = daft.func.batch(return_dtype=DataType.float64(), batch_size=_VERIFIED)(similarity)
    edges = (
        pairs.where(col("first") >= 0)
        .join(sets, left_on="first", right_on="number")
        .join(sets.select("number", col("pieces").alias("others")), left_on="second", right_on="number")
        .select("first", "second", compare(col("pieces"), col("others")).alias("similarity"))
        .where(col("similarity") >= threshold)
        .to_arrow()
    )
    first, second = (edges[name].to_numpy().astype(np.int64) for name in ("first", "second"))
    gone, twins, alike = first_stays(first, second, edges["similarity"].to_numpy())
    return Duplicates(records, gone, twins, alike, len(pairs) - crowds, unreadable, crowds)


def _signed(daft: Any, parts: Sequence[Any], read: Read, threshold: float, cores: int) -> Any:
    """A row a record: ``number``, ``keys``, the hash of the whole set, and its ``pieces``; kept, as used twice."""
    import pickle

    from daft import DataType, col

    row = DataType.struct(
        {
            "number": DataType.int64(),
            "keys": DataType.list(DataType.uint64()),
            "whole": DataType.uint64(),
            "pieces": DataType.binary(),
        }
    )

    @daft.cls(use_process=True, max_concurrency=cores)
    class Sign:
        @daft.method.batch(return_dtype=DataType.list(row), batch_size=1)  # type: ignore[untyped-decorator]
        def rows(self, part: Any) -> Any:
            return _rows(read(pickle.loads(part.to_pylist()[0])), threshold)

    table = daft.from_pydict({"part": [pickle.dumps(part) for part in parts]})
    if daft.get_or_infer_runner_type() == "ray":
        table = table.into_partitions(min(len(parts), 4 * cores))
    fields = [col("row").get(name).alias(name) for name in ("number", "keys", "whole", "pieces")]
    return (
        table.select(Sign().rows(col("part")).alias("row"))
        .explode("row")
        .select(*fields)
        .where(col("number").not_null())
        .collect()
    )


def _rows(records: Iterator[tuple[int, str | None]], threshold: float) -> Any:
    """One list of the rows of a part, as Arrow has it."""
    import pyarrow as pa

    signer = _signer(threshold)
    batches = []
    while batch := [record for _, record in zip(range(_TOGETHER), records, strict=False)]:
        batches.append(_batch(signer, batch))
    rows = pa.concat_arrays(batches) if batches else pa.array([], _batch(signer, []).type)
    return pa.LargeListArray.from_arrays([0, len(rows)], rows)


def _batch(signer: Signer, batch: Sequence[tuple[int, str | None]]) -> Any:
    import numpy as np
    import pyarrow as pa

    found = signer([text or "" for _, text in batch])
    full = np.diff(found.starts) > 0
    whole = np.zeros(len(batch), np.uint64)
    if len(batch):
        whole[full] = np.add.reduceat(_mixed(found.pieces.astype(np.uint64)), found.starts[:-1][full])
    keys = np.concatenate([found.keys, whole[:, None]], axis=1)[full]  # equal sets share a key of their own
    ends = np.concatenate([[0], np.cumsum(full * keys.shape[1])])
    pieces = pa.Array.from_buffers(
        pa.large_binary(),
        len(batch),
        [
            pa.array([text is not None for _, text in batch], pa.bool_()).buffers()[1],
            pa.py_buffer(found.starts.astype(np.int64) * 4),
            pa.py_buffer(found.pieces),
        ],
    )
    return pa.StructArray.from_arrays(
        [
            pa.array([number for number, _ in batch], pa.int64()),
            pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), pa.array(keys.ravel())),
            pa.array(whole),
            pieces,
        ],
        ["number", "keys", "whole", "pieces"],
    )


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finalizer, so that the sum over a set is a hash of it."""
    import numpy as np

    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


_SIGNERS: dict[float, Signer] = {}


def _signer(threshold: float) -> Signer:
    """The one of this process: it remembers hashes of pieces."""
    return _SIGNERS.setdefault(threshold, Signer(threshold, shingles))


def _column(frame: Any, name: str, dtype: Any) -> NDArray[Any]:
    return frame.to_arrow()[name].to_numpy().astype(dtype)  # type: ignore[no-any-return]


def _cores(ray: str | None) -> int:
    if ray is None:
        return len(os.sched_getaffinity(0))
    import ray as cluster

    return max(1, int(cluster.cluster_resources().get("CPU", 1)))


def _engine(ray: str | None) -> Any:
    """Daft, with its runner set."""
    missing = [name for name in ("daft", *(("ray",) if ray else ())) if find_spec(name) is None]
    if missing:
        what = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed"
        raise UserError(what, where="--engine daft", remedy="pip install 'persona-studio[scale]'")
    os.environ.update(DO_NOT_TRACK="1", DAFT_PROGRESS_BAR="0", RAY_USAGE_STATS_ENABLED="0")
    if ray is not None:
        _join(ray)
    import daft

    wanted = "native" if ray is None else "ray"
    try:
        daft.set_runner_native() if ray is None else daft.set_runner_ray(noop_if_initialized=True)
    except daft.exceptions.DaftCoreException:  # it was set before
        if daft.get_or_infer_runner_type() != wanted:
            raise UserError(f"this process runs on {daft.get_or_infer_runner_type()} already") from None
    return daft


def _join(address: str) -> None:
    import ray

    if ray.is_initialized():
        return
    own = {"include_dashboard": False, "_node_ip_address": "127.0.0.1"} if address == "local" else {}
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    try:
        if colon:  # Ray itself tries for minutes
            socket.create_connection((host.strip("[]"), int(port)), _PATIENCE_S).close()
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", **own)
    except (OSError, RuntimeError, ValueError) as error:
        said = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise UserError(f"no Ray cluster there: {said}", where=f"--ray {address}", remedy="ray start --head") from None
