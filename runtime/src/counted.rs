//! Numbers with what they count, for sentences.

/// The number with the noun: `1 batch`, `3 batches`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    match (count, what) {
        (1, _) => format!("1 {what}"),
        (_, "batch") => format!("{count} batches"),
        (_, "index") => format!("{count} indices"),
        _ => format!("{count} {what}s"),
    }
}
