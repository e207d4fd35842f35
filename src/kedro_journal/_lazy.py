"""Names of a package that are imported on first use, by PEP 562.

A run, or a short command, needs few modules of each package. Importing all of them
takes longer than writing the journal of a small run.
"""

import sys
from importlib import import_module

TYPE_CHECKING = False  # what type checkers know by this name, without importing typing
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

__all__ = ["lazily"]


def lazily(
    package: str, homes: "Mapping[str, tuple[str, ...]]"
) -> "tuple[Callable[[str], Any], Callable[[], list[str]]]":
    """Return the `__getattr__` and `__dir__` of a package.

    No name may be that of a submodule: the import system sets a submodule as an
    attribute of its package, where it would hide the name.

    Args:
        package: Full name of the package.
        homes: Submodule to the names that it defines. Names of the empty submodule
            are submodules themselves.
    """
    home_of = {name: home for home, names in homes.items() for name in names}

    def get(name: str) -> "Any":
        home = home_of.get(name)
        if home is None:
            message = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(message)
        if not home:
            return import_module(f"{package}.{name}")
        found = getattr(import_module(f"{package}.{home}"), name)
        setattr(sys.modules[package], name, found)
        return found

    def names() -> list[str]:
        dunder = (name for name in vars(sys.modules[package]) if name[:2] == "__")
        return sorted({*dunder, *home_of})

    return get, names
