"""Demo: a small project, and the story that its journals tell."""
