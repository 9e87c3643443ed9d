//! Snapshots of what is written beside a block, formatted as rustfmt would.
