"""For Kedro's `logging.yml`: a handler that journals the log records of a run.

```yaml
handlers:
  journal:
    class: kedro_journal.logging.JournalHandler
    level: WARNING
```

The setting `log_level` does the same without a line of logging configuration.
"""

from kedro_journal.session.log_records import JournalHandler

__all__ = ["JournalHandler"]
