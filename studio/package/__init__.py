"""The folder to deploy, and its proof."""

from studio.package.index import find_package, package_id, packages
from studio.package.types import Package, PackageFinished, PackageStepped, Verification

__all__ = [
    "Package",
    "PackageFinished",
    "PackageStepped",
    "Verification",
    "find_package",
    "package_id",
    "packages",
]
