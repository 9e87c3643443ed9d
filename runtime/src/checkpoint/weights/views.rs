//! Tensors of `torch.save` whose elements are to be negated or conjugated when they are read, which the reader of the pickle does not know.
//!
//! PyTorch marks such views, as of `x.conj().imag`, by a dictionary after the tensor's hooks: `OrderedDict()`, then `{"neg": True}`.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use zip::ZipArchive;

/// The keys of the dictionary, as a pickle has them.
const KEYS: [&[u8]; 2] = [b"X\x03\0\0\0neg", b"X\x04\0\0\0conj"];

/// The most that is read of a file that is not an archive. Its pickle stands at its beginning, before the elements.
const BEGINNING: u64 = 1 << 24;

/// Returns whether the file has such a tensor.
pub(super) fn has_marked_view(path: &Path) -> bool {
    File::open(path).ok().and_then(pickle).is_some_and(|pickle| has_mark(&pickle))
}

/// Returns the pickle of a file of `torch.save`, or what has it.
fn pickle(mut file: File) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    match ZipArchive::new(&file) {
        Ok(mut archive) => {
            let is_pickle = |name: &str| Path::new(name).ends_with("data.pkl");
            let name = archive.file_names().flatten().find(|name| is_pickle(name))?.into_owned();
            archive.by_name(&name).ok()?.read_to_end(&mut bytes).ok()?;
        }
        Err(_) => {
            file.rewind().ok()?;
            file.take(BEGINNING).read_to_end(&mut bytes).ok()?;
        }
    }
    Some(bytes)
}

fn has_mark(pickle: &[u8]) -> bool {
    KEYS.iter().any(|key| {
        let mut places = (0..pickle.len().saturating_sub(key.len())).filter(|place| pickle[*place..].starts_with(key));
        places.any(|place| follows_hooks(&pickle[..place]))
    })
}

/// Whether a dictionary begins at the end of these bytes, after the call that makes the hooks.
fn follows_hooks(before: &[u8]) -> bool {
    let before = without_memo(before.strip_suffix(b"(").unwrap_or(before));
    before.strip_suffix(b"}").is_some_and(|before| without_memo(before).ends_with(b")R"))
}

/// Removes the operation that keeps a value for later: `q` and a byte, or `r` and four.
fn without_memo(pickle: &[u8]) -> &[u8] {
    match pickle {
        [before @ .., b'q', _] | [before @ .., b'r', _, _, _, _] => before,
        _ => pickle,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_told_from_other_dictionaries() {
        // of `torch.save({"n": torch._neg_view(torch.ones(4))}, …)`
        assert!(has_mark(
            b"\x85q\t\x89ccollections\nOrderedDict\nq\n)Rq\x0b}q\x0cX\x03\0\0\0negq\r\x88stq\x0eRq\x0fs."
        ));
        assert!(has_mark(b"OrderedDict\nr\0\x01\0\0)Rr\x01\x01\0\0}r\x02\x01\0\0(X\x04\0\0\0conjq\r\x88"));
        // of `torch.save({"hyper_parameters": {"neg": True}}, …)`
        assert!(!has_mark(b"X\x10\0\0\0hyper_parametersq\x01}q\x02X\x03\0\0\0negq\x03\x88ss."));
    }
}
