"""`python -m kedro_journal`: the standalone command line."""

from kedro_journal.cli import main

if __name__ == "__main__":
    main()
