"""Keep ended executions as files that can be entered at any line."""
