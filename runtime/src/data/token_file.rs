//! Files of tokens, which are mapped into memory.

use std::fmt;
use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tch::{TchError, Tensor};

use super::{DataError, Dataset};
use crate::native::{self, Filling, MappedFile};

/// A flat file of tokens, in little-endian bytes, as NumPy's `tofile` writes them and nanoGPT's `prepare.py` does: u16 or u32.
///
/// The file is mapped into memory: the system reads the parts that are used, so that it may be larger than the memory. A clone shares the
/// mapping.
///
/// ```
/// use tch_lightning::data::TokenFile;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("train.bin");
/// std::fs::write(&path, [1_u16, 2, 50256].map(u16::to_le_bytes).as_flattened())?;
///
/// let tokens = TokenFile::<u16>::open(&path)?;
/// assert_eq!((tokens.len(), tokens.get(2)), (3, Some(50256)));
/// # Ok::<(), anyhow::Error>(())
/// ```
///
/// Another program must not write to the file while it is used: what is read then is undefined, and if the file becomes shorter, the system
/// ends this process with SIGBUS, as with every mapped file.
pub struct TokenFile<T> {
    /// `None` for an empty file, which cannot be mapped.
    bytes: Option<Arc<MappedFile>>,
    path: PathBuf,
    token: PhantomData<T>,
}

/// The type of a token in a [`TokenFile`]: `u16` or `u32`.
///
/// This trait is sealed.
pub trait Token: sealed::Token {}

impl Token for u16 {}
impl Token for u32 {}

mod sealed {
    /// What a file holds of a token.
    pub trait Token: Copy + Into<i64> + Send + Sync + 'static {
        const NAME: &str;

        /// The number of bytes.
        const SIZE: usize;

        /// Returns the token of exactly [`SIZE`](Self::SIZE) bytes.
        fn of_bytes(bytes: &[u8]) -> Self;
    }
}

macro_rules! token {
    ($($token:ident)+) => {$(
        impl sealed::Token for $token {
            const NAME: &str = stringify!($token);
            const SIZE: usize = size_of::<Self>();

            fn of_bytes(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("a token has its size"))
            }
        }
    )+};
}

token!(u16 u32);

impl<T: Token> TokenFile<T> {
    /// Opens a file of tokens.
    ///
    /// # Errors
    /// [`DataError::TokenFile`] if the file cannot be read, [`DataError::TokenFileSize`] if its size is not a multiple of a token's.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let map = || -> io::Result<_> {
            let file = File::open(path)?;
            let size = file.metadata()?.len();
            Ok((size, (size > 0).then(|| MappedFile::new(&file)).transpose()?.map(Arc::new)))
        };
        let (size, bytes) = map().map_err(|source| DataError::TokenFile { path: path.to_owned(), source })?;
        if !size.is_multiple_of(T::SIZE as u64) {
            return Err(DataError::TokenFileSize { path: path.to_owned(), size, token: T::NAME, token_size: T::SIZE });
        }
        Ok(Self { bytes, path: path.to_owned(), token: PhantomData })
    }

    /// The number of tokens.
    pub fn len(&self) -> usize {
        self.bytes().len() / T::SIZE
    }

    /// Whether the file has no tokens.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the token at `position`; `None` past the last one.
    pub fn get(&self, position: usize) -> Option<T> {
        self.bytes().chunks_exact(T::SIZE).nth(position).map(T::of_bytes)
    }

    /// Returns a dataset of the windows of `context` tokens, which follow one another without overlap.
    ///
    /// # Errors
    /// [`DataError::TokenContext`] if `context` is 0, or if the file does not have one window and the token after it.
    pub fn windows(self, context: usize) -> Result<TokenDataset<T>, DataError> {
        let tokens = self.len();
        if context == 0 || tokens <= context {
            return Err(DataError::TokenContext { path: self.path, tokens, context });
        }
        Ok(TokenDataset { file: self, context, stride: context })
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.as_deref().map_or(&[], |bytes| bytes)
    }

    /// Writes the tokens at these positions as i64.
    fn write(&self, positions: Range<usize>, to: &mut Filling<'_, i64>) {
        let bytes = &self.bytes()[positions.start * T::SIZE..positions.end * T::SIZE];
        to.write_each(positions.len(), bytes.chunks_exact(T::SIZE).map(|token| T::of_bytes(token).into()));
    }
}

impl<T> Clone for TokenFile<T> {
    fn clone(&self) -> Self {
        Self { bytes: self.bytes.clone(), path: self.path.clone(), token: PhantomData }
    }
}

impl<T> fmt::Debug for TokenFile<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TokenFile").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The windows of a [`TokenFile`], for a language model: a sample is `context` tokens, and as the target the token after each of them, both
/// i64. Returned by [`TokenFile::windows`].
///
/// The tokens are copied once, from the mapped file into the batch.
///
/// ```
/// use tch_lightning::data::{DataLoader, TokenFile};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("train.bin");
/// let tokens: Vec<u8> = (0..1000_u16).flat_map(u16::to_le_bytes).collect();
/// std::fs::write(&path, tokens)?;
///
/// let loader = DataLoader::with_workers(TokenFile::<u16>::open(&path)?.windows(64)?, 2).batch_size(4);
/// let (inputs, targets) = loader.epoch(0)?.next().unwrap()?;
/// assert_eq!((inputs.size(), targets.size()), (vec![4, 64], vec![4, 64]));
/// assert_eq!((inputs.int64_value(&[1, 0]), targets.int64_value(&[1, 0])), (64, 65));
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TokenDataset<T> {
    file: TokenFile<T>,
    context: usize,
    stride: usize,
}

impl<T: Token> TokenDataset<T> {
    /// Sets the number of tokens between the beginnings of two windows; by default that of a window. With 1, each token begins a window, and
    /// a [`RandomSampler`](super::RandomSampler) with [`num_samples`](super::RandomSampler::num_samples) sets how many an epoch has. 0 is the same
    /// as 1.
    pub fn stride(self, stride: usize) -> Self {
        Self { stride: stride.max(1), ..self }
    }

    /// Returns the start of the window at `index`.
    fn start(&self, index: usize) -> anyhow::Result<usize> {
        let len = self.len();
        anyhow::ensure!(index < len, "index {index} is out of range for a TokenDataset of {len} windows");
        Ok(index * self.stride)
    }

    /// Returns the tokens of the windows at `starts`, `offset` tokens later.
    fn tokens(&self, starts: &[usize], offset: usize) -> Result<Tensor, TchError> {
        native::filled(&[starts.len() as i64, self.context as i64], |to| {
            for start in starts.iter().map(|start| start + offset) {
                self.file.write(start..start + self.context, to);
            }
            Ok(())
        })
    }
}

impl<T: Token> Dataset for TokenDataset<T> {
    type Sample = (Tensor, Tensor);

    fn len(&self) -> usize {
        // the last window has a token after it
        (self.file.len() - self.context - 1) / self.stride + 1
    }

    fn get_item(&self, index: usize) -> anyhow::Result<(Tensor, Tensor)> {
        let (inputs, targets) = self.get_items(&[index])?;
        Ok((inputs.f_squeeze_dim(0)?, targets.f_squeeze_dim(0)?))
    }

    fn get_items(&self, indices: &[usize]) -> anyhow::Result<(Tensor, Tensor)> {
        let starts = indices.iter().map(|index| self.start(*index)).collect::<anyhow::Result<Vec<_>>>()?;
        Ok((self.tokens(&starts, 0)?, self.tokens(&starts, 1)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn file(tokens: &[u32]) -> (tempfile::TempDir, TokenFile<u32>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train.bin");
        fs::write(&path, tokens.iter().flat_map(|token| token.to_le_bytes()).collect::<Vec<u8>>()).unwrap();
        let file = TokenFile::open(&path).unwrap();
        (folder, file)
    }

    #[test]
    fn windows_end_before_the_last_token() {
        for (tokens, context, stride, windows) in [(4, 3, 3, 1), (6, 3, 3, 1), (7, 3, 3, 2), (7, 3, 1, 4), (4, 3, 9, 1)]
        {
            let (_folder, file) = file(&vec![0; tokens]);
            let dataset = file.windows(context).unwrap().stride(stride);
            assert_eq!(dataset.len(), windows, "{tokens} tokens, windows of {context} by {stride}");
        }
    }

    #[test]
    fn targets_are_the_tokens_after_the_inputs() {
        let (_folder, file) = file(&[10, 11, 12, 13, 14, 15, u32::MAX]);
        let dataset = file.windows(3).unwrap();
        let (inputs, targets) = dataset.get_items(&[1, 0]).unwrap();
        assert_eq!(inputs, Tensor::from_slice2(&[[13_i64, 14, 15], [10, 11, 12]]));
        assert_eq!(targets, Tensor::from_slice2(&[[14, 15, i64::from(u32::MAX)], [11, 12, 13]]));
        assert_eq!(dataset.get_item(1).unwrap().0, Tensor::from_slice(&[13_i64, 14, 15]));
        let said = dataset.get_items(&[2]).unwrap_err().to_string();
        assert_eq!(said, "index 2 is out of range for a TokenDataset of 2 windows");
    }

    #[test]
    fn files_of_another_size_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train.bin");
        let said = |context| match TokenFile::<u32>::open(&path).and_then(|file| file.windows(context)) {
            Ok(dataset) => format!("{dataset:?}"),
            Err(error) => error.to_string().replace(&folder.path().display().to_string(), ""),
        };
        assert_eq!(said(3), "cannot read the tokens of /train.bin: No such file or directory (os error 2)");
        fs::write(&path, [0; 6]).unwrap();
        assert_eq!(
            said(3),
            "/train.bin is not a file of u32 tokens: its 6 bytes are not a multiple of 4; give the type of its tokens"
        );
        fs::write(&path, []).unwrap();
        let too_few =
            "/train.bin has 0 tokens, and windows of 3 need at least 4: give a larger file or a smaller context";
        assert_eq!(said(3), too_few);
        fs::write(&path, [0; 12]).unwrap();
        assert_eq!(said(3), too_few.replace("has 0", "has 3"));
        assert_eq!(said(0), "the windows of /train.bin must have at least 1 token: give a context above 0");
    }
}
