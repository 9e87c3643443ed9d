//! The names that a module of TorchScript may have.

use super::TorchScriptError;
use tch::Tensor;

/// The words that Python's parser, or the module itself, keeps.
const RESERVED: [&str; 39] = [
    "False", "None", "True", "_c", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "forward", "from", "global", "if", "import", "in", "is", "lambda",
    "nonlocal", "not", "or", "pass", "raise", "return", "self", "training", "try", "while", "with", "yield",
];

/// Fails at the first parameter with a name that cannot be read from the file.
pub(super) fn check_names(parameters: &[(String, Tensor)]) -> Result<(), TorchScriptError> {
    for (name, _) in parameters {
        if let Some(part) = name.split('.').find(|part| !is_possible(part)) {
            return Err(TorchScriptError::Name { name: name.clone(), part: part.to_owned() });
        }
    }
    Ok(())
}

fn is_possible(part: &str) -> bool {
    let is_printed = |byte: u8| (b' '..=b'~').contains(&byte) && !matches!(byte, b'"' | b'\\');
    !part.is_empty() && part.bytes().all(is_printed) && !RESERVED.contains(&part)
}
