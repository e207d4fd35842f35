"""Many threads read and write at once, each for the first time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from journals import put, sample_lines

FIRST_READS = """
import sys, threading
from pathlib import Path
from kedro_journal.journal import codec, plain
from kedro_journal.replay import replay_folder

folder, ready = Path(sys.argv[1]), threading.Barrier(8)
sys.setswitchinterval(1e-6)
seqs = []

def look():
    ready.wait()
    seqs.append(replay_folder(folder).seq)

threads = [threading.Thread(target=look) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(*seqs)
"""


@pytest.mark.parametrize("attempt", range(8))
def test_the_first_reads_of_many_threads_do_not_disturb_each_other(
    tmp_path: Path, attempt: int
) -> None:
    """Two that made a decoder at once could crash the interpreter."""
    del attempt
    put(tmp_path / "s", b"".join(sample_lines(9)))
    command = [sys.executable, "-c", FIRST_READS, str(tmp_path / "s")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["9"] * 8
