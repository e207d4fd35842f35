"""What redaction costs, as ratios within one run.

    python tests/benchmarks/redacting.py

Prints the time to redact and encode a plan of 2,000 nodes and a traceback of 10 kB, as
multiples of the time that encoding the same data without redaction takes, and the
seconds per MB for ordinary texts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import msgspec

from kedro_journal.events import PlannedNode, RunStarted
from kedro_journal.recording.encoding import encode
from kedro_journal.redaction import Redactor

NODES = tuple(
    PlannedNode(
        name=f"node_{number}",
        inputs=(f"data_{number}", "params:x"),
        outputs=(f"data_{number + 1}",),
        tags=("a", "b"),
        function=f"project.pipelines.part_{number % 40}.nodes.make_{number}",
        source=f"/home/user/src/project/part_{number % 40}/nodes.py:{number}",
    )
    for number in range(2000)
)
TRACEBACK = "".join(
    f'  File "/home/user/src/project/nodes_{number}.py", line {number}, in make\n'
    f"    return self._load(path, version={number}, **kwargs)\n"
    for number in range(90)
)
TEXTS = {
    "prose": "The quick brown fox jumps over the lazy dog, and 42 more of them came. ",
    "log": "2024-05-17 09:15:00,123 - kedro.io - INFO - Loading data from companies\n",
    "source": "    def load(self, path: str = 'x', n=3) -> pd.DataFrame:\n",
}


def seconds(measured: Callable[[], object]) -> float:
    """Return the shortest CPU time of five runs."""
    best = float("inf")
    for _ in range(5):
        begin = time.process_time()
        measured()
        best = min(best, time.process_time() - begin)
    return best


def redactor() -> Redactor:
    """Return a redactor that knows one secret."""
    one = Redactor()
    one.register("Zq7Wv9Xk3Lm5Np2R")
    return one


def plan() -> bytes:
    """Redact and encode a plan with a redactor that never saw it."""
    one = redactor()
    one.prime(
        (
            name
            for node in NODES
            for name in (node.name, *node.inputs, *node.outputs, *node.tags)
        ),
        (text for node in NODES for text in (node.function, node.source)),
    )
    return encode(RunStarted(run_id="x", nodes=NODES), one)


def main() -> None:
    """Print the table."""
    bare = msgspec.json.Encoder().encode
    event = RunStarted(run_id="x", nodes=NODES)
    ratio = seconds(plan) / seconds(lambda: bare(event))
    print(f"plan of 2,000 nodes   {ratio:8.1f} times its encoding")
    ratio = seconds(lambda: redactor().text(TRACEBACK)) / seconds(
        lambda: bare(TRACEBACK)
    )
    print(f"traceback of 10 kB    {ratio:8.1f} times its encoding")
    for name, text in TEXTS.items():
        million = (text * (1_000_000 // len(text) + 1))[:1_000_000]
        one = redactor()
        print(f"{name:20}  {seconds(partial(one.mask, million)):8.2f} s per MB")


if __name__ == "__main__":
    main()
