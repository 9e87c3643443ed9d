//! Serializes paths as strings, or as the code units of the system's encoding if they are not valid UTF-8.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

#[cfg(unix)]
type Unit = u8;
#[cfg(windows)]
type Unit = u16;

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "a path, as text or as `{\"units\": [...]}`")]
enum Written {
    Text(String),
    Units { units: Vec<Unit> },
}

impl From<&Path> for Written {
    fn from(path: &Path) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Units { units: units(path) },
        }
    }
}

impl From<Written> for PathBuf {
    fn from(written: Written) -> Self {
        match written {
            Written::Text(text) => text.into(),
            Written::Units { units } => of_units(units).into(),
        }
    }
}

#[cfg(unix)]
fn units(path: &Path) -> Vec<Unit> {
    std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_owned()
}

#[cfg(unix)]
fn of_units(units: Vec<Unit>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(units)
}

#[cfg(windows)]
fn units(path: &Path) -> Vec<Unit> {
    std::os::windows::ffi::OsStrExt::encode_wide(path.as_os_str()).collect()
}

#[cfg(windows)]
fn of_units(units: Vec<Unit>) -> OsString {
    std::os::windows::ffi::OsStringExt::from_wide(&units)
}

pub(crate) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    Written::from(path).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    Written::deserialize(deserializer).map(PathBuf::from).map_err(D::Error::custom)
}

/// The same for a path that there may not be.
pub(crate) mod option {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
        path.as_deref().map(Written::from).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
        Ok(Option::<Written>::deserialize(deserializer)?.map(PathBuf::from))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Paths {
        #[serde(with = "super")]
        one: PathBuf,
        #[serde(with = "super::option")]
        other: Option<PathBuf>,
    }

    #[test]
    fn paths_survive_a_round_trip_through_json() {
        for bytes in [b"checkpoints/\xc3\xa9".as_slice(), b"ck-\xff/\x80", b""] {
            let path = PathBuf::from(OsStr::from_bytes(bytes));
            for other in [None, Some(path.clone())] {
                let paths = Paths { one: path.clone(), other };
                let text = serde_json::to_string(&paths).unwrap();
                assert_eq!(serde_json::from_str::<Paths>(&text).unwrap(), paths, "{text}");
            }
        }
        let text = serde_json::to_string(&Paths { one: "a/b".into(), other: None }).unwrap();
        assert_eq!(text, r#"{"one":"a/b","other":null}"#);
    }
}
