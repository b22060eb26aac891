"""Start an engine, find one, read its URL, and judge whether logs are safe in it."""
