"""{{ cookiecutter.project_name }}: a ferry demand forecast, journalled."""

__version__ = "0.1"
