"""Keep what people pin to lines, and tell whoever watches."""
