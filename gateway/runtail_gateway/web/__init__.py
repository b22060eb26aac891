"""Hold every request to bounds, and serve the pages and the description of the gateway."""
