"""Strike every reader with one hostile input after another, and watch what it does.

First every family of hostile files, then mutations without end. A mutation that reaches
code which none reached before is kept, and further ones begin with it.
"""

from __future__ import annotations

import gc
import hashlib
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final

from . import growth, readers
from .coverage import Coverage
from .families import FAMILIES, Family
from .mutate import garble, mutant
from .readers import READERS, Broken, Case, Target
from .stories import genuine
from .values import CANARY
from .views import CONFIG, VIEWS, target_config

__all__ = ["GROWTH_MAX_MB", "Engine", "memory_mb"]

GROWTH_MAX_MB: Final = 64
"""Most that the process may grow above what it has once everything is loaded."""

SESSION: Final = "2026-01-02T03.04.05.678Z"
_ITSELF: Final = ("ctypes.dlopen", None)  # the C library that is loaded anyway
_FORBIDDEN: Final = frozenset(
    {
        *("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork"),
        *("os.forkpty", "pty.spawn", "subprocess.Popen", "pickle.find_class"),
        *("socket.connect", "socket.getaddrinfo", "urllib.Request", "ctypes.dlopen"),
        *("webbrowser.open", "os.kill", "os.chmod"),
    }
)
_WATCHED_CLOSELY: Final = 500  # inputs; after them news are rare, and tracing makes
_WATCHED_SHARE: Final = 0.15  # an input ten times slower
_WATCHED_MAX_BYTES: Final = 16 * 1024
_CORPUS_MAX: Final = 600
_KEPT: Final = Path(tempfile.gettempdir()) / "kedro-journal-fuzz"
_KEPT_MAX_BYTES: Final = 8 * 1024 * 1024


class TooSlow(BaseException):
    """The time of a target is over. No error, so that nothing catches it."""


class Engine:
    """One process's storm of hostile input.

    Args:
        work: An empty folder.
        seed: Where chance begins.
        dose: 1 for the small storm, 10 for the full one.
        tell: Takes a kind of message and its content.

    Attributes:
        corpus: Inputs that reached code which none reached before.
        figures: What was counted.
        slowest: CPU-seconds of the slowest call that was not traced, and which.
    """

    def __init__(
        self, work: Path, seed: int, dose: int, tell: Callable[[str, Any], None]
    ) -> None:
        self._work = work
        self._dose = dose
        self._tell = tell
        self._rng = random.Random(seed)
        self._folder = work / "sessions" / SESSION
        self._path = self._folder / "journal.jsonl"
        self._project = work / "project"
        for folder in (self._folder, self._project, work / "modules"):
            folder.mkdir(parents=True, mode=0o700)
        self._coverage = Coverage()
        self.corpus: list[bytes] = []
        self._configs: list[bytes] = list(CONFIG)
        self._told: Counter[tuple[str, ...]] = Counter()
        self._armed: list[str] | None = None
        self._ceiling_mb = 0.0
        self._largest = 0
        self.figures: Counter[str] = Counter()
        self.slowest: tuple[float, str] = (0.0, "")

    def run(self, cpu_s: float, only: Collection[str] = ()) -> None:
        """Strike for that many CPU-seconds, but with every family at least once.

        Args:
            cpu_s: CPU-seconds of this process.
            only: Names of families; then nothing else is done.
        """
        self.strike_families(only)
        while not only and time.process_time() < cpu_s:
            self._strike_mutant()

    def allow(self, mb: float) -> None:
        """Let the process grow by this much more: it is not the readers that took it."""
        self._baseline_mb += mb
        self._ceiling_mb += mb

    def strike_families(self, only: Collection[str] = ()) -> None:
        """Strike with every family, or with some."""
        self._plant()
        for family in FAMILIES:
            if not only or family.name in only:
                self._strike_family(family)
        if not only and self._dose > 1:
            self._grow()

    def account(self) -> dict[str, Any]:
        """Check the canary, and give the figures."""
        self._check_canary()
        return {
            **self.figures,
            "records that were compared": readers.compared,
            "arcs of code": self._coverage.arcs,
            "inputs that reached new code": len(self.corpus),
            "largest MB": round(self._largest / 1e6),
            "growth MB": round(_peak_mb() - self._baseline_mb),
            "slowest": f"{self.slowest[0]:.1f} s: {self.slowest[1]}",
            "cpu": time.process_time(),
        }

    def _plant(self) -> None:
        """Load everything, plant the canary, and only then look at the memory."""
        mark = self._work / "boom"
        module = self._work / "modules" / f"{CANARY}.py"
        module.write_text(f"open({str(mark)!r}, 'w').close()\n", encoding="utf-8")
        sys.path.insert(0, str(module.parent))
        case = self._put("warm-up", [genuine(3)])
        for name, target in {**READERS, **VIEWS}.items():
            for number in range(9 if name == "commands" else 1):
                target(Case(case.name, case.folder, case.path, case.size, _rng(number)))
        target_config(self._project)
        gc.collect()
        signal.signal(signal.SIGPROF, _too_slow)
        sys.addaudithook(self._audit)
        self._baseline_mb = _peak_mb()
        self._ceiling_mb = self._baseline_mb + GROWTH_MAX_MB

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        armed = self._armed
        if armed is None:
            return
        if event in _FORBIDDEN and (event, *args) != _ITSELF:
            armed.append(f"{event} {args!r:.80}")
        elif event == "import":
            name = str(args[0])
            known = name.partition(".")[0] in sys.stdlib_module_names
            if not known or name in ("antigravity", "this"):
                armed.append(f"import of {name!r:.80}")
        elif event == "open" and isinstance(args[0], str) and isinstance(args[1], str):
            writes = set(args[1]) & set("wax+")
            if writes and not args[0].startswith(str(self._work)):
                armed.append(f"writing to {args[0]!r:.80}")

    def _put(self, name: str, pieces: Any) -> Case:
        """Write a hostile journal, piece by piece."""
        with self._path.open("wb") as file:
            for piece in pieces:
                if isinstance(piece, int):
                    file.truncate(file.seek(piece, 2))
                else:
                    file.write(piece)
        size = self._path.stat().st_size
        rng = random.Random(self._rng.randrange(1 << 32))
        return Case(name, self._folder, self._path, size, rng)

    def _strike_family(self, family: Family) -> None:
        case = self._put(family.name, family.make(self._rng, self._dose))
        targets = READERS if family.large else {**READERS, **VIEWS}
        if case.size <= _WATCHED_MAX_BYTES:
            with self._coverage.watch() as news:
                self._strike(case, targets, watched=True)
            if family.seed or news():
                self._keep(case.path.read_bytes())
        else:
            self._strike(case, targets)

    def _strike_mutant(self) -> None:
        rng = self._rng
        other = rng.random()
        if other < 0.05:
            self._strike_config()
            return
        if other < 0.15:
            self._strike_family(rng.choice([f for f in FAMILIES if not f.large]))
            return
        self._tell("at", "the making of a mutant")
        data = mutant(rng, self.corpus)
        early = self.figures["inputs"] < _WATCHED_CLOSELY
        if not early and rng.random() > _WATCHED_SHARE:
            self.strike_bytes(data)
            return
        with self._coverage.watch() as news:
            self.strike_bytes(data, watched=True)
        if news():
            self._keep(data)
        self._say()

    def strike_bytes(self, data: bytes, *, watched: bool = False) -> None:
        """Strike with a journal that is held in memory."""
        case = self._put("mutant", [data])
        targets = dict(READERS)
        if self._rng.random() < 0.7:
            del targets["writer"]  # it syncs
        targets["fold"] = VIEWS["fold"]
        name = self._rng.choice(("views", "views", "commands", "replay"))
        targets[name] = VIEWS[name]
        self._strike(case, targets, watched=watched)

    def _strike_config(self) -> None:
        data = garble(self._rng, self._rng.choice(self._configs))
        path = self._project / "pyproject.toml"
        path.write_bytes(data)
        case = Case("pyproject.toml", self._project, path, len(data), self._rng)
        self._strike(case, {"config": lambda case: target_config(case.folder)})

    def _keep(self, data: bytes) -> None:
        if len(data) > _WATCHED_MAX_BYTES:
            return
        if len(self.corpus) >= _CORPUS_MAX:
            self.corpus[self._rng.randrange(_CORPUS_MAX)] = data
        else:
            self.corpus.append(data)

    def _strike(
        self, case: Case, targets: dict[str, Target], *, watched: bool = False
    ) -> None:
        self.figures["inputs"] += 1
        self._largest = max(self._largest, case.size)
        bound_s = 2.0 + min(case.size, 4_000_000) * 1e-5 + case.size * 1.5e-8
        for name, target in targets.items():
            self._tell("at", f"{case.name}, {name}")
            self.figures["calls"] += 1
            begun = time.process_time()
            armed: list[str] = []
            broken = self._call(target, case, armed, bound_s * (20 if watched else 1))
            took = time.process_time() - begun
            if not watched and took > self.slowest[0]:
                self.slowest = (took, f"{case.name}, {name}")
            if sys.modules.pop(CANARY, None) is not None:
                armed.insert(0, "a module that it names was imported")
            for what in [*broken, *armed[:1]]:
                self._violation(case, name, what)
            self._check_memory(case, name)

    def _call(
        self, target: Target, case: Case, armed: list[str], bound_s: float
    ) -> list[str]:
        """Call a target; give what it broke. What it may not ask for goes to *armed*."""
        self._armed = armed
        try:
            try:
                signal.setitimer(signal.ITIMER_PROF, bound_s)
                target(case)
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)  # a late signal is seen below
        except TooSlow:
            return [f"slow: more than {bound_s:.1f} s{_place()}"]
        except Broken as error:
            return [str(error)]
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as error:
            return [f"{type(error).__name__}{_place()}: {str(error)[:120]!r}"]
        finally:
            self._armed = None
        return []

    def _check_memory(self, case: Case, name: str) -> None:
        peak = _peak_mb()
        if peak <= self._ceiling_mb:
            return
        self._ceiling_mb = peak + 8  # what it was stays the peak for ever
        grown = peak - self._baseline_mb
        self._violation(case, name, f"memory: the process grew by {grown:.0f} MB")

    def _violation(self, case: Case, name: str, what: str) -> None:
        """Tell of it, with the input kept; of each kind only the first."""
        key = (name, what.partition(": ")[0])
        self._told[key] += 1
        if self._told[key] > 1:
            self.figures["more of these"] += 1
            return
        self._tell("violation", f"{name}: {what} ({self._kept(case)})")

    def _kept(self, case: Case) -> str:
        if case.size > _KEPT_MAX_BYTES:
            return case.name
        data = case.path.read_bytes()
        _KEPT.mkdir(exist_ok=True)
        kept = _KEPT / f"{hashlib.sha256(data).hexdigest()[:16]}{case.path.suffix}"
        shutil.copyfile(case.path, kept)
        return f"{case.name}, kept as {kept}"

    def _grow(self) -> None:
        """Time must grow as the file does: four times as much, in four times as long."""
        for name, what, ratio in growth.measure(self._folder):
            self.figures["growths"] += 1
            if ratio > growth.RATIO_MAX:
                case = Case(name, self._folder, self._path, 0, self._rng)
                self._violation(
                    case, what, f"four times the {name} take {ratio:.0f} times as long"
                )

    def _check_canary(self) -> None:
        if (self._work / "boom").exists():
            self._tell("violation", "code that a journal names was run")

    def _say(self) -> None:
        told = f"{self.figures['inputs']:,} inputs, {len(self.corpus)} kept"
        self._tell("say", f"{told}, {time.process_time():.0f} CPU-s")


def _rng(seed: int) -> random.Random:
    return random.Random(seed)


def _peak_mb() -> float:
    """Give the most memory that this program ever had."""
    return memory_mb("VmHWM")


def memory_mb(what: str = "VmRSS") -> float:
    """Give the memory that this program has, or by `VmHWM` the most that it ever had.

    On Linux `ru_maxrss` begins with that of the program which started this one.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(status.partition(f"{what}:")[2].split()[0]) / 1024


def _too_slow(number: int, frame: object) -> None:
    raise TooSlow


def _place() -> str:
    """Say where the package's own code was when the last error was raised."""
    frames = traceback.extract_tb(sys.exc_info()[2])
    ours = [frame for frame in frames if "kedro_journal" in frame.filename]
    return f" in {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
