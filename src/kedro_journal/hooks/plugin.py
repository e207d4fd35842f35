"""What `entry` gives to Kedro. Importing this must never fail.

A hook module that does not import stops every `kedro run` of its users. So Kedro and
the standard library are all that is imported here; the rest is imported inside, and if
that fails it is said once and nothing is journaled.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any, Final, Literal

from kedro.framework.cli.hooks import cli_hook_impl
from kedro.framework.hooks import hook_impl

from kedro_journal._outside import let_through
from kedro_journal.recording.say import say

from .other_plugins import SeesOthers

__all__ = ["cli_hooks", "hooks"]

_PASS: Final = "_kedro_journal"  # noqa: S105 - passes.PASS, without importing it


class PluginHooks(SeesOthers):
    """Meets every hook manager that Kedro makes.

    In the process of a session it hands over to hooks bound to that session. In a
    worker process, where Kedro makes a new manager for each node, it finds the session
    by what travelled with the node.
    """

    def __init__(self) -> None:
        self._workers: dict[tuple[int, str], Any] = {}
        self._broken = False

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: Any) -> None:
        """A session of Kedro's own class made its context: bind hooks to it."""
        try:
            from kedro_journal.capture import compat

            from .asked import asked

            manager = compat.context_hook_manager(context)
            if manager is None or not manager.is_registered(self):
                return
            if asked(context) == "disable":
                manager.unregister(self)
                return
            from .links import PluginLink

            bound = PluginLink(context, self._meet).hooks
            manager.unregister(self)
            manager.register(bound)
            bound.after_context_created(context)
        except Exception as error:
            let_through(error)
            self.give_up(error, context)

    def _meet(self, manager: Any) -> None:
        if not manager.is_registered(self):
            manager.register(self)

    @hook_impl(tryfirst=True)
    def before_dataset_loaded(self, dataset_name: str, node: Any) -> None:
        """In a worker: a load begins."""
        bound = self._bound(node)
        if bound is not None:
            bound.before_dataset_loaded(dataset_name, node)

    @hook_impl(tryfirst=True)
    def before_node_run(self, node: Any, catalog: Any, run_id: str | None) -> None:
        """In a worker: the inputs are loaded."""
        bound = self._bound(node)
        if bound is not None:
            bound.before_node_run(node, catalog, run_id)

    @hook_impl(tryfirst=True)
    def after_node_run(self, node: Any, outputs: Any, run_id: str | None) -> None:
        """In a worker: the function returned."""
        bound = self._bound(node)
        if bound is not None:
            bound.after_node_run(node, outputs, run_id)

    @hook_impl(tryfirst=True)
    def on_node_error(self, error: Exception, node: Any, run_id: str | None) -> None:
        """In a worker: the function raised."""
        bound = self._bound(node)
        if bound is not None:
            bound.on_node_error(error, node, run_id)

    @hook_impl(tryfirst=True)
    def before_dataset_saved(self, dataset_name: str, node: Any) -> None:
        """In a worker: a save begins."""
        bound = self._bound(node)
        if bound is not None:
            bound.before_dataset_saved(dataset_name, node)

    def dataset_ended(
        self, kind: Literal["load", "save"], dataset: str, node: Any
    ) -> float | None:
        """In a worker: a load or save ended well."""
        bound = self._bound(node)
        if bound is None:
            return None
        found: float | None = bound.dataset_ended(kind, dataset, node)
        return found

    def dataset_settled(
        self,
        kind: Literal["load", "save"],
        dataset: str,
        node: Any,
        duration_s: float | None,
        *,
        well: bool,
    ) -> None:
        """In a worker: all plugins were told of it."""
        bound = self._bound(node)
        if bound is not None:
            bound.dataset_settled(kind, dataset, node, duration_s, well=well)

    def other_failed(self, error: Exception, node: Any) -> None:
        """In a worker: a hook of another plugin raised."""
        bound = self._bound(node)
        if bound is not None:
            bound.other_failed(error, node)

    def _bound(self, node: Any) -> Any:
        """Return the hooks of the session that sent this node, None if none did."""
        try:
            passes = object.__getattribute__(node, "__dict__").get(_PASS)
        except Exception as caught:  # no node at all
            let_through(caught)
            return None
        if not passes or self._broken:
            return None
        try:
            from .links import WorkerLink
            from .session_hooks import SessionHooks

            folder = passes[-1]["folder"]
            key = (os.getpid(), folder)
            bound = self._workers.get(key)
            if bound is None:
                if self._is_of_parent(node, folder):
                    return None
                project = passes[-1]["project"]
                link = WorkerLink(
                    Path(folder),
                    Path(project) if project else None,
                    list(passes[-1]["secrets"]),
                    warned=passes[-1]["warned"],
                    losses=passes[-1]["losses"],
                )
                bound = self._workers[key] = SessionHooks(link)
            mine = [p for p in passes if p["folder"] == folder]
            for handed in mine:
                bound.book.adopt(handed["run_id"], handed["attempt"])
            bound.book.keep_only({(p["run_id"], p["attempt"]) for p in mine})
        except Exception as error:
            let_through(error)
            self.give_up(error)
            return None
        return bound

    def _is_of_parent(self, node: Any, folder: str) -> bool:
        """Return whether a worker runs the node, and forked this process inside it."""
        return any(
            bound.book.was_forked_in(node.name)
            for (_, known), bound in self._workers.items()
            if known == folder
        )

    def give_up(
        self, error: Exception, of: object = None, *, ends: bool = True
    ) -> None:
        """Report once that nothing can be journaled here, and continue without.

        Args:
            error: Why.
            of: What knows the project: a context, or Kedro's metadata.
            ends: The run may be ended here, if the settings ask for that. If not, who
                begins its session does it.

        Raises:
            JournalError: The setting `strict` asks for it.
        """
        from .asked import asked

        wish = asked(of)
        if wish == "strict":
            if ends:
                raise _ended(error) from error
            return
        known = self._broken or wish == "disable"
        self._broken = True
        level = logging.DEBUG if known else logging.WARNING
        say(
            level,
            "cannot journal here: %s: %s. The run goes on.",
            type(error).__qualname__,
            error,
        )


def _ended(error: Exception) -> Exception:
    from kedro_journal.errors import JournalError

    try:
        reason = f"{type(error).__qualname__}: {error}"
    except Exception as caught:
        let_through(caught)
        # What was given to the hook may refuse to be shown.
        reason = type(error).__qualname__
    failure = JournalError(f"cannot journal here, and `strict` is set: {reason}")
    failure.strict = True
    return failure


class CliHooks:
    """Sees commands begin and end: exit codes, and failures that no session lived to
    see.
    """

    @cli_hook_impl
    def before_command_run(
        self, project_metadata: Any, command_args: list[str]
    ) -> None:
        """A command begins."""
        try:
            if command_args[:1] == ["server"]:
                from kedro_journal.recording.signals import prepare

                prepare()  # its sessions are made in other threads
            if not command_args or command_args[0] != "run":
                return
            from .asked import asked

            if asked(project_metadata) == "disable":
                return
            from .command import current_command

            path = getattr(project_metadata, "project_path", None)
            package = getattr(project_metadata, "package_name", None)
            folder = Path(path) if path else None
            current_command.begin(command_args, folder, package)
        except Exception as error:
            let_through(error)
            hooks.give_up(error, project_metadata, ends=False)

    @cli_hook_impl
    def after_command_run(self, command_args: list[str], exit_code: object) -> None:
        """A command ended."""
        try:
            if not command_args or command_args[0] != "run":
                return
            if f"{__package__}.command" not in sys.modules:
                return  # no session was journaled, and the command was none of ours
            from kedro_journal.recording.signals import postponed

            from .command import current_command, ending_error

            code = exit_code if isinstance(exit_code, int) else 1
            error = ending_error()
            with postponed(dropped=bool(exit_code)):
                current_command.end(0 if exit_code is None else code, error)
        except KeyboardInterrupt:
            if not exit_code:
                raise
            # The command exits with an error already, by this code.
        except Exception as error:
            let_through(error)
            if getattr(error, "strict", False) is True and not exit_code:
                raise  # it would have ended well
            hooks.give_up(error, ends=False)


hooks: Final = PluginHooks()
cli_hooks: Final = CliHooks()
