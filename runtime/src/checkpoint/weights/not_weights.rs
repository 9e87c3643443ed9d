//! What files that hold no weights, or not in a form that is read here, are in truth.

use crate::shown::shown;
use std::io::{Read, Seek};
use std::path::Path;
use zip::ZipArchive;

/// The number of bytes that tell what a file is.
const START: u64 = 64;

/// The first bytes of files that are taken for files of weights, and what they are, with what to do.
const KNOWN: [(&[u8], &str); 8] = [
    (
        b"version https://git-lfs",
        "it is a pointer of Git LFS, in place of the file itself: run `git lfs pull` in the folder that was cloned",
    ),
    (b"<!doctype html", WEB_PAGE),
    (b"<html", WEB_PAGE),
    (b"\x1f\x8b", "it is compressed: run `gunzip`"),
    (b"\x89hdf\r\n", "it is a file of HDF5, as Keras writes them: write its tensors in Python by `safetensors`"),
    (b"\x93numpy", NUMPY),
    (b"gguf", "it is a file of GGUF, which is not read here: open the `.safetensors` files of the model"),
    (
        b"\x80",
        "it is a pickle that `torch.save` did not write: write the weights in Python by `torch.save` or `safetensors`",
    ),
];

const NUMPY: &str = "it is a file of NumPy: write its arrays in Python by `safetensors.numpy.save_file`";

const WEB_PAGE: &str = "it is a web page, in place of the file itself: download it again, from Hugging Face by an address with `/resolve/` \
                        in place of `/blob/`";

/// Returns what a file is that is not a safetensors file; `None` for a damaged one.
pub(super) fn instead_of_safetensors(mut file: impl Read) -> Option<String> {
    let mut start = Vec::new();
    file.by_ref().take(START).read_to_end(&mut start).ok()?;
    if start.is_empty() {
        return Some("it is empty".to_owned());
    }
    // the header, after its length
    if start.get(8) == Some(&b'{') {
        return None;
    }
    let lower = start.trim_ascii_start().to_ascii_lowercase();
    if let Some((_, what)) = KNOWN.iter().find(|(beginning, _)| lower.starts_with(beginning)) {
        return Some((*what).to_owned());
    }
    let text = str::from_utf8(&start)
        .ok()
        .filter(|text| !text.contains(|one: char| one.is_control() && !one.is_whitespace()))?;
    let line = shown(text.trim().lines().next()?, 40);
    Some(format!("it is neither a `.safetensors` file nor one of `torch.save`: it begins with `{line}`"))
}

/// Whether a zip file is one of TorchScript, as those of `torch.jit.save` and of tch's `VarStore::save` are.
pub(super) fn is_torchscript(file: impl Read + Seek) -> bool {
    has_file(file, |name| name.ends_with("constants.pkl"))
}

/// Returns what a zip file is that `torch.save` did not write; `None` for a damaged one.
pub(super) fn instead_of_torch_save(file: impl Read + Seek) -> Option<&'static str> {
    has_file(file, |name| name.extension().is_some_and(|extension| extension == "npy")).then_some(NUMPY)
}

fn has_file(zip: impl Read + Seek, is_meant: impl Fn(&Path) -> bool) -> bool {
    ZipArchive::new(zip).is_ok_and(|archive| archive.file_names().flatten().any(|name| is_meant(Path::new(&*name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_first_bytes() {
        for (bytes, expected) in [
            (
                &b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 548105171\n"[..],
                Some("it is a pointer of Git LFS"),
            ),
            (b"\n<!DOCTYPE html><html>", Some("it is a web page")),
            (b"<html lang=\"en\">", Some("it is a web page")),
            (b"\x80\x04\x95\x10\0\0\0\0\0\0\0}\x94", Some("it is a pickle that `torch.save` did not write")),
            (b"\x89HDF\r\n\x1a\n\0\0\0\0", Some("it is a file of HDF5")),
            (b"GGUF\x03\0\0\0", Some("it is a file of GGUF")),
            (
                b"epoch,loss\n1,0.5\n",
                Some("it is neither a `.safetensors` file nor one of `torch.save`: it begins with `epoch,loss`"),
            ),
            (b"", Some("it is empty")),
            (b"\x02\0\0\0\0\0\0\0{}", None),
            (b"\x02\0\0\0\0\0\0\0x", None),
        ] {
            let found = instead_of_safetensors(bytes);
            assert!(
                found.as_deref().map_or(expected.is_none(), |found| expected.is_some_and(|it| found.starts_with(it))),
                "{found:?}"
            );
        }
    }
}
