"""The folder to deploy, and its proof."""

from studio.package.packages import (
    Package,
    PackageFinished,
    PackageStepped,
    Verification,
    check,
    find_package,
    package_id,
    packages,
)

__all__ = [
    "Package",
    "PackageFinished",
    "PackageStepped",
    "Verification",
    "check",
    "find_package",
    "package_id",
    "packages",
]
