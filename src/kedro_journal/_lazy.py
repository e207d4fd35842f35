"""Packages whose names are imported when they are first asked for.

A run, or a short command, needs few modules of each package. All of them together take
longer to import than the journal of a small run takes to write.
"""

import sys
from importlib import import_module
from types import ModuleType

__all__ = ["lazily"]


def lazily(package: str, homes: dict[str, tuple[str, ...]]) -> None:
    """Let a package import its names when they are asked for.

    A name may be that of a submodule as well, such as the function `evolve`: the name
    stands for the function then, as `from .evolve import evolve` would have it.

    Args:
        package: Its full name; it is being imported.
        homes: Submodule to the names that come from it.
    """
    home_of = {name: home for home, names in homes.items() for name in names}

    class Package(ModuleType):
        """The package, which the import system tells of each submodule it imported."""

        def __setattr__(self, name: str, value: object) -> None:
            if name in home_of and value is sys.modules.get(f"{package}.{name}"):
                return
            super().__setattr__(name, value)

        def __getattr__(self, name: str) -> object:
            home = home_of.get(name)
            if home is None:
                message = f"module {package!r} has no attribute {name!r}"
                raise AttributeError(message)
            found = getattr(import_module(f"{package}.{home}"), name)
            self.__dict__[name] = found
            return found

        def __dir__(self) -> list[str]:
            return sorted({*self.__dict__, *home_of})

    sys.modules[package].__class__ = Package
