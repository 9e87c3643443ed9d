//! The header of an untrusted file.

use super::checksum::{Checksum, position_in};
use super::layout::{CHECKSUM, LENGTH, LONGEST_HEADER};
use safetensors::tensor;
use serde::Deserializer;
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

/// A header, with safetensors' description of each tensor.
pub(super) struct Header {
    tensors: tensor::Metadata,
    /// The range of the checksum's digits in the header's text, and the digits.
    checksum: Option<(Range<usize>, String)>,
}

/// Returns the length of the header that the first bytes of a file claim, if a file of this size can have such a header.
pub(super) fn length_of_header(start: &[u8], file: u64) -> Result<usize, String> {
    let start: [u8; LENGTH] = start.try_into().map_err(|_| format!("it has {file} bytes and no header"))?;
    let length = u64::from_le_bytes(start);
    if length > file.saturating_sub(LENGTH as u64) {
        return Err(format!("its header claims {length} bytes, but the file has {file}"));
    }
    let usable = usize::try_from(length).ok().filter(|length| *length <= LONGEST_HEADER);
    usable.ok_or_else(|| format!("its header claims {length} bytes, but safetensors allows {LONGEST_HEADER}"))
}

impl Header {
    /// Parses the header of a file with this number of bytes of elements.
    pub(super) fn parse(text: &[u8], elements: u64) -> Result<Self, String> {
        let text = std::str::from_utf8(text).map_err(|error| format!("its header is not text: {error}"))?;
        refuse_duplicates(text).map_err(|error| format!("its header: {error}"))?;
        let tensors: tensor::Metadata = serde_json::from_str(text).map_err(|error| format!("its header: {error}"))?;
        if tensors.data_len() as u64 != elements {
            return Err(format!("its tensors need {} bytes, but there are {elements}", tensors.data_len()));
        }
        let checksum = position_in(text).map(|position| (position.clone(), text[position].to_owned()));
        Ok(Self { tensors, checksum })
    }

    /// A value of the header's metadata.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        self.tensors.metadata().as_ref()?.get(key).map(String::as_str)
    }

    /// The names and safetensors' descriptions of the tensors, in the order of their elements.
    pub(super) fn tensors(&self) -> impl Iterator<Item = (String, &tensor::TensorInfo)> {
        self.tensors.offset_keys().into_iter().filter_map(|name| self.tensors.info(&name).map(|info| (name, info)))
    }

    /// The comparison of the file's checksum with its bytes, begun with the header; `None` for a file without one.
    pub(super) fn comparison(&self, text: &[u8]) -> Result<Option<Comparison<'_>>, String> {
        match &self.checksum {
            Some((position, stated)) => {
                let length = (text.len() as u64).to_le_bytes();
                Ok(Some(Comparison { found: Checksum::of_header(&length, text, position), stated }))
            }
            None if self.value(CHECKSUM).is_some() => Err(format!("its `{CHECKSUM}` is not a checksum")),
            None => Ok(None),
        }
    }
}

/// The checksum of a file as far as it has been read, and the one stated in the file.
pub(super) struct Comparison<'a> {
    found: Checksum,
    stated: &'a str,
}

impl Comparison<'_> {
    /// Adds elements.
    pub(super) fn add(&mut self, elements: &[u8]) {
        self.found.add(elements);
    }

    pub(super) fn end(self) -> Result<(), String> {
        let found = self.found.digits();
        if found == self.stated { Ok(()) } else { Err(format!("its checksum is {found} instead of {}", self.stated)) }
    }
}

/// Rejects two tensors with the same name, as readers differ in which of them they use.
fn refuse_duplicates(header: &str) -> serde_json::Result<()> {
    struct Names;

    impl<'de> Visitor<'de> for Names {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            let mut seen = HashSet::new();
            while let Some((name, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
                if let Some(twice) = seen.replace(name) {
                    return Err(A::Error::custom(format!("`{twice}` is duplicated")));
                }
            }
            Ok(())
        }
    }

    serde_json::Deserializer::from_str(header).deserialize_map(Names)
}
