//! The messages of libtorch's errors.

use std::borrow::Cow;

/// Returns libtorch's message without the C++ backtrace at its end.
pub(crate) fn without_backtrace(message: &str) -> &str {
    let end =
        ["\nException raised from", "\\nException raised from"].iter().filter_map(|mark| message.find(mark)).min();
    end.map_or(message, |end| &message[..end]).trim_end()
}

/// Returns libtorch's message for users: without the backtrace, and with advice for out-of-memory errors.
pub(crate) fn readable(message: &str) -> Cow<'_, str> {
    let message = without_backtrace(message);
    let sentence = out_of_memory(message).map(Cow::from).or_else(|| of_backward(message).map(Cow::from));
    sentence.unwrap_or(message.into())
}

/// Returns a sentence about the loss of a backward pass that cannot begin.
fn of_backward(message: &str) -> Option<&'static str> {
    const LOSSES: [(&str, &str); 2] = [
        (
            "does not require grad and does not have a grad_fn",
            "the loss has no graph: compute it from parameters that are not frozen, outside of `tch::no_grad` and without `detach`",
        ),
        (
            "grad can be implicitly created only for scalar outputs",
            "the loss is not a scalar: return the mean of its elements, `loss.mean(Kind::Float)`",
        ),
    ];
    LOSSES.iter().find(|(mark, _)| message.contains(mark)).map(|(_, sentence)| *sentence)
}

/// The marks of libtorch's out-of-memory errors, on a GPU and on the host.
const MARKS: [&str; 2] = ["out of memory", "can't allocate memory"];

/// The beginnings of the sentences after the mark that users need.
const DETAILS: [&str; 3] = ["Tried to allocate", "you tried to allocate", "GPU "];

/// The advice for out-of-memory errors.
const WAYS_OUT: &str = "a smaller batch size needs less memory, where `accumulate_grad_batches` makes up for it, and so does \
                        `precision` with bf16-mixed or 16-mixed";

fn out_of_memory(message: &str) -> Option<String> {
    let end = MARKS.iter().find_map(|mark| Some(message.find(mark)? + mark.len()))?;
    let (head, rest) = message.split_at(end);
    // the host's allocator begins with a line of its source code
    let head = head.find("DefaultCPUAllocator").map_or(head, |start| &head[start..]);
    let sentences = rest.trim_start_matches([':', '.', ' ']).split(". ");
    let details = sentences.take_while(|sentence| DETAILS.iter().any(|detail| sentence.starts_with(detail)));
    let details: Vec<&str> = details.map(|detail| detail.trim_end_matches('.')).collect();
    let is_bare = head.ends_with("CUDA error: out of memory");
    match details.as_slice() {
        [] if is_bare => Some(format!("{head}: {WAYS_OUT}")),
        [] => None,
        details => Some(format!("{head} ({}): {WAYS_OUT}", details.join("; "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backtrace_is_cut_off() {
        let text = "shape mismatch\nException raised from infer_size at somewhere.cpp:31\nframe #0";
        assert_eq!(without_backtrace(text), "shape mismatch");
        assert_eq!(without_backtrace("nothing to cut"), "nothing to cut");
    }

    #[test]
    fn losses_without_a_backward_pass_are_explained() {
        use tch::{Device, Kind, Tensor};
        let numbers = Tensor::zeros([2], (Kind::Float, Device::Cpu));
        let said = |loss: &Tensor| readable(&loss.f_backward().unwrap_err().to_string()).into_owned();
        assert!(said(&numbers.mean(None)).starts_with("the loss has no graph: "));
        let several = numbers.set_requires_grad(true) * 2.0;
        assert_eq!(
            said(&several),
            "the loss is not a scalar: return the mean of its elements, `loss.mean(Kind::Float)`"
        );
    }

    #[test]
    fn out_of_memory_errors_get_advice() {
        let helps = "a smaller batch size needs less memory, where `accumulate_grad_batches` makes up for it, and so does \
                     `precision` with bf16-mixed or 16-mixed";
        // the texts of c10/cuda/CUDACachingAllocator.cpp and c10/core/impl/alloc_cpu.cpp
        for (text, sentence) in [
            (
                "in the encoder: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.15 GiB of \
                 which 1.20 GiB is free. Including non-PyTorch memory, this process has 77.94 GiB memory in use. Of the \
                 allocated memory 77.30 GiB is allocated by PyTorch.\nException raised from malloc at x.cpp:1",
                "in the encoder: CUDA out of memory (Tried to allocate 2.00 GiB; GPU 0 has a total capacity of 79.15 GiB of \
                 which 1.20 GiB is free): ",
            ),
            ("CUDA error: out of memory\nCUDA kernel errors might be reported later", "CUDA error: out of memory: "),
            (
                "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to \
                 allocate 4000000000000 bytes. Error code 12 (Cannot allocate memory)",
                "DefaultCPUAllocator: can't allocate memory (you tried to allocate 4000000000000 bytes): ",
            ),
        ] {
            assert_eq!(readable(text), format!("{sentence}{helps}"));
            assert_eq!(readable(&readable(text)), readable(text), "it is said once");
        }
        assert_eq!(readable("the hat is out of memory."), "the hat is out of memory.");
    }
}
