"""Run the demo workflow, and workflows that somebody tries out."""
