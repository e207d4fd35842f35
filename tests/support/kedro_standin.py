"""A pytest plugin: Kedro's own tests meet our session classes in the place of Kedro's.

For a checkout of Kedro's repository; docs/reference/kedro-0.17.md has the command.
"""

from __future__ import annotations

import kedro.framework.session as package
import kedro.framework.session.session as module

from kedro_journal.session import KedroServiceSession, KedroSession

module.KedroSession = package.KedroSession = KedroSession  # type: ignore[misc]
if hasattr(package, "KedroServiceSession"):
    import kedro.framework.session.service_session as service_module

    service_module.KedroServiceSession = KedroServiceSession  # type: ignore[misc]
    package.KedroServiceSession = KedroServiceSession  # type: ignore[misc]
