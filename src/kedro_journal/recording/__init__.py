"""Recording: events -> the journal, for as long as a session lasts."""
