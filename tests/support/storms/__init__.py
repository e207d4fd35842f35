"""Storms: every fault that the journal promises to survive, in any dose.

The tests run each suite in a small dose, and prove that it has teeth: with one step of
the protocol left out it goes red. The full storm takes a while and prints the table of
`docs/concepts/faults.md`:

    python tests/support/storms --full
"""
