/// A drawing in a file format that browsers show.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Figure {
    /// The text of an SVG file.
    Svg(String),
    /// The bytes of a PNG file.
    Png(Vec<u8>),
}

impl Figure {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Svg(text) => text.len(),
            Self::Png(bytes) => bytes.len(),
        }
    }
}
