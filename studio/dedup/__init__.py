"""Near-duplicates: texts that say again, word for word or nearly so, what is there already."""

from studio.dedup.near import NearDuplicates
from studio.dedup.shingles import shingles

__all__ = ["NearDuplicates", "shingles"]
