//! What libtorch says of its own errors.

/// libtorch's message without the C++ backtrace that follows it.
pub(crate) fn without_backtrace(message: &str) -> &str {
    let end =
        ["\nException raised from", "\\nException raised from"].iter().filter_map(|mark| message.find(mark)).min();
    end.map_or(message, |end| &message[..end]).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backtrace_is_cut_off() {
        let text = "shape mismatch\nException raised from infer_size at somewhere.cpp:31\nframe #0";
        assert_eq!(without_backtrace(text), "shape mismatch");
        assert_eq!(without_backtrace("nothing to cut"), "nothing to cut");
    }
}
