"""The project's modular pipelines, one per folder."""
