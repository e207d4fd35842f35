"""Hooks: Kedro's hook calls -> events."""
