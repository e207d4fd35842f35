"""Capture: Kedro's objects and this process -> plain fields of events."""
