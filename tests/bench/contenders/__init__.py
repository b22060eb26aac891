"""The contenders, a module each; `tests.bench.contender` says what they provide."""
