"""Threads that read for the first time take turns at what is read into."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from journals import put, sample_lines

# The first thread that makes a decoder lingers in the middle of it, until another one
# is at the same work, which must not come to pass, or a second is over.
FIRST_READS = """
import sys, threading
from pathlib import Path
import msgspec._utils as utils
from kedro_journal.journal import codec, plain
from kedro_journal.replaying import replay_folder

folder, ready = Path(sys.argv[1]), threading.Barrier(4)
met, guard, first, seqs = threading.Event(), threading.Lock(), [], []
evaluate = utils._eval_type

def lingering(*args, **kwargs):
    with guard:
        is_first = not first
        if is_first:
            first.append(threading.get_ident())
    if is_first:
        met.wait(1)
        first[0] = 0
    elif first[0] not in (0, threading.get_ident()):
        met.set()
    return evaluate(*args, **kwargs)

utils._eval_type = lingering

def look():
    ready.wait()
    seqs.append(replay_folder(folder).seq)

threads = [threading.Thread(target=look) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(first), met.is_set(), *seqs)
"""


def test_one_thread_at_a_time_makes_decoders(tmp_path: Path) -> None:
    """Two at once could crash the interpreter."""
    put(tmp_path / "s", b"".join(sample_lines(9)))
    command = [sys.executable, "-c", FIRST_READS, str(tmp_path / "s")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1", "False", *["9"] * 4]
