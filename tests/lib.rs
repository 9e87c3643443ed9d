//! Tests that see tch-lightning as its users do: each file beside this one is a target of its own.
