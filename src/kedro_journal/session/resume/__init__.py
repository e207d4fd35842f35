"""Resume: run what an earlier session left."""
