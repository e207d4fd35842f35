"""Print what broke last night, for a chat message or a ticket.

    python post_mortem.py [PROJECT]

Needs no Kedro: it only reads the journals of the project.
"""

from __future__ import annotations

import sys
from pathlib import Path

import kedro_journal


def post_mortem(project: Path) -> str:
    """Return a short report on the newest session that did not complete."""
    for state in kedro_journal.sessions(project_path=project):
        if state.verdict in ("failed", "crashed", "interrupted"):
            break
    else:
        return "Every session completed."
    lines = [f"{state.session_id}: {state.verdict}"]
    full = kedro_journal.replay(state.session_id, project_path=project)
    for run in full.runs:
        for node in run.broken:
            where = f"{node.phase} {node.dataset}" if node.dataset else node.phase
            lines.append(f"  node {node.name} ({where})")
            if node.error is not None:
                lines.append(f"  {node.error.root.summary()}")
    parameters = full.runtime_params or {}
    lines += [f"  --params {name}={value}" for name, value in parameters.items()]
    lines.append(f"  next: kedro-journal why {full.session_id}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(post_mortem(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
