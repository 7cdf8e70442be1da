"""Near-duplicates: texts that say again, word for word or nearly so, what is there already or is held out."""

from studio.dedup.near import HeldOut, NearDuplicates, shingles
from studio.dedup.two_stage import ALIKE, STRICT, Twin, TwoStage

__all__ = ["ALIKE", "STRICT", "HeldOut", "NearDuplicates", "Twin", "TwoStage", "shingles"]
