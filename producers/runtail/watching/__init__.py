"""Follow executions from a script or a terminal."""
