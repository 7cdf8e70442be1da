"""The folder to deploy, and its proof."""

from studio.package.packages import Check, check, find_package, package_id, packages
from studio.package.types import Package, PackageFinished, PackageStepped, Verification

__all__ = [
    "Check",
    "Package",
    "PackageFinished",
    "PackageStepped",
    "Verification",
    "check",
    "find_package",
    "package_id",
    "packages",
]
