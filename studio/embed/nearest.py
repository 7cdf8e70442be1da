"""Nearest neighbours: exact cosine search over unit vectors that are added as they come.

A vector's rows lie in one float32 matrix that doubles as it fills: 1.5 kB each, 150 MB for 100,000.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.embed.model import DIMENSIONS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from studio.embed.model import Vectors

BLOCK = 512
"""Queries compared at once: 512 x 100,000 products are 200 MB."""
_FIRST = 256


class Nearest:
    """Vectors by number, in the order in which they were added. Not for use by several threads at once."""

    def __init__(self, dimensions: int = DIMENSIONS) -> None:
        import numpy as np

        self._rows = np.zeros((_FIRST, dimensions), np.float32)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, vectors: Vectors) -> None:
        """(n, dimensions), each of length 1."""
        import numpy as np

        wanted = self._count + len(vectors)
        if wanted > len(self._rows):
            grown = np.zeros((max(wanted, 2 * len(self._rows)), self._rows.shape[1]), np.float32)
            grown[: self._count] = self._rows[: self._count]
            self._rows = grown
        self._rows[self._count : wanted] = vectors
        self._count = wanted

    def of(self, vectors: Vectors) -> tuple[NDArray[np.int64], Vectors]:
        """For each of (n, dimensions) the number of its nearest and their cosine; of equals the one added first.

        Number -1 and cosine -1 where nothing was added yet.
        """
        import numpy as np

        numbers = np.full(len(vectors), -1, np.int64)
        cosines = np.full(len(vectors), -1.0, np.float32)
        if self._count:
            for start in range(0, len(vectors), BLOCK):
                products = vectors[start : start + BLOCK] @ self._rows[: self._count].T
                best = products.argmax(axis=1)
                numbers[start : start + BLOCK] = best
                cosines[start : start + BLOCK] = products[np.arange(len(best)), best]
        return numbers, cosines
