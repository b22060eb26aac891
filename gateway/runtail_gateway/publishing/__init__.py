"""Take records in over HTTP, from the SDK and from whoever publishes by hand."""
