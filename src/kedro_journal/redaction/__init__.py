"""Make any value safe to write: plain JSON, bounded, without secrets. Pure.

An append-only file cannot be cleaned later. Every value passes through here before it
is encoded, and what cannot be judged is left out (fail closed).

A value is a secret for one of three reasons: the name of its key says so, the form of
the text says so, or it was registered. The caller registers credentials and the
environment; the redactor registers every value that it finds under a secret name.

Main types:

- `Redactor` knows the secrets of one session. `fields` redacts an event, `plain` any
  value, `text` and `mask` a text, `exact` what a later run needs without loss.
- `identities.Identities` masks names, so that equal names stay equal.
- `plain.Walk` and `exact.Exact` walk through values; `look` reads objects without
  running their code; `gathering.Gathering` finds the secrets in them.
- `names` and `words` judge names. There is one matcher for keys, flags, variables and
  `name=value` in texts.
- Texts pass these rules in this order: `blocks` (keys across lines), `forms`
  (registered values in every encoding), `shapes` with `shape_table`, `findings`,
  `headers`, `urls` and `tokens` (known forms), `commands` (short options of tools), and
  `pairs` with `ends`, `contexts`, `containers` and `prose` (named values).
- `skeleton` proves cheaply that a text holds nothing for a rule. `marks` says which
  fields of events need no redaction. `decoding` reads the exact form back.

Invariants:

- Nothing here raises to the caller, runs code of the user, or takes more than linear
  time. Sizes, depths and counts have the bounds in `limits`.
- A rule that is skipped would have changed nothing: the fast path and a reference that
  applies every rule give the same text.
- A text without secrets stays as it is, and what is redacted stays so when it is
  redacted again.
- What is known only grows, in single steps, so threads and forks need no lock.
"""

from typing import TYPE_CHECKING

from kedro_journal._lazy import lazily

if TYPE_CHECKING:
    from .limits import FAILED, REDACTED
    from .names import is_secret_name
    from .redactor import Redactor

__all__ = ["FAILED", "REDACTED", "Redactor", "is_secret_name"]

__getattr__, __dir__ = lazily(
    __name__,
    {
        "limits": ("FAILED", "REDACTED"),
        "names": ("is_secret_name",),
        "redactor": ("Redactor",),
    },
)
