use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Whether and how [`ModelCheckpoint`](crate::callbacks::ModelCheckpoint) keeps its latest checkpoint as `last.ckpt`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SaveLast {
    /// No `last.ckpt`.
    #[default]
    No,
    /// A separate file.
    Copy,
    /// A symbolic link to the latest checkpoint.
    Link,
}

impl From<bool> for SaveLast {
    fn from(save_last: bool) -> Self {
        if save_last { Self::Copy } else { Self::No }
    }
}

impl Serialize for SaveLast {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::No => serializer.serialize_bool(false),
            Self::Copy => serializer.serialize_bool(true),
            Self::Link => serializer.serialize_str("link"),
        }
    }
}

impl<'de> Deserialize<'de> for SaveLast {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "write true, false or link")]
        enum Written {
            Flag(bool),
            Link(Link),
            Absent(()),
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Link {
            Link,
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::Flag(save_last) => save_last.into(),
            Written::Link(Link::Link) => Self::Link,
            Written::Absent(()) => Self::No,
        })
    }
}
