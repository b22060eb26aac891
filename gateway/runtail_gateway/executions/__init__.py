"""Show many executions: the list, live and in pages, and the figures that sum it up."""
