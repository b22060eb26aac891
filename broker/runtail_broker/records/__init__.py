"""What a log is made of: records, frames, entries, and their text for viewers. No I/O."""
