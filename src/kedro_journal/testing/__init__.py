"""Testing: helpers for tests of code that uses journals.

Main modules:
    events: `records` and `fold`: events -> records and a state, without a journal.
    contract: `JournalContract`: what every journal must do, wherever it keeps its
        records. A subclass provides the journal as a fixture.

Invariants:
    pytest is not imported: the tests of the contract are plain methods.

Writes nothing.
"""

from .contract import JournalContract
from .events import fold, records

__all__ = ["JournalContract", "fold", "records"]
