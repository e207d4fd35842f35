"""Recording: events -> the journal, for as long as a session lasts.

What it owns: the one way into a session's journal.

    event -> recorder -> guard (is the move legal?) -> encoding (redact, bound, encode)
    -> journal.JournalWriter, or backlog while the journal cannot take it

Main modules:
    opening: opens or creates the journal of a session.
    recorder: `Recorder`, the session's way into its journal, and its state.
    guard, encoding, backlog, aside: the steps above, and the file beside the journal.
    link: what ties hooks to their session and shields the run from our errors.
    progress: what this process knows of the runs that it is in.
    notes, log_records, log_limit, validations: what users and their libraries report.
    losses, ownership: worker processes, and which process may speak for a session.
    signals, say: signals while a session is open; messages to the user.

Invariants:
    Only the owner of a session, and the processes that join it, append.
    A failure of ours becomes a warning, or an error where the settings are strict.
    Nothing is written that `encoding` has not redacted.

Who may write: `hooks` and `session`, through a `Recorder`. No other package does.
"""
