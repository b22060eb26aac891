"""Alert people by webhooks of what their rules name."""
