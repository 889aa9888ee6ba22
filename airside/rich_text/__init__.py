"""Text that people and agents write: HTML within bounds and sanitized, and Markdown rendered to it."""
