"""Say things as the protocol does: messages, wishes, refusals, problems. No I/O."""
