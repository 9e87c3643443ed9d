//! The layout of a checkpoint file: see [`LAYOUT`].

/// The version of the layout that this crate writes, and the newest that it reads.
///
/// # Layout 2
///
/// One [safetensors](https://huggingface.co/docs/safetensors) file, which `safetensors.torch.load_file` in Python reads as it
/// is. Its parts follow each other without a gap:
///
/// | bytes | |
/// |---|---|
/// | 8 | the length of the header, little-endian |
/// | as many | the header: JSON, padded with spaces to a multiple of 8 |
/// | the rest | the tensors' elements, little-endian, in row-major order; the widest dtypes come first |
///
/// The header gives each tensor's dtype, shape and position by its name: `module.{parameter or buffer}` and
/// `optimizer.{index}.{parameter}.{slot}`. Its `__metadata__` has three keys:
///
/// | key | |
/// |---|---|
/// | `format` | `pt`, which marks tensors of PyTorch for other programs |
/// | `tch_lightning` | the JSON of [`Metadata`](crate::checkpoint::Metadata), whose `layout` is the number of the layout |
/// | `tch_lightning.checksum` | `xxh3:` and 16 hexadecimal digits |
///
/// The file of a run with several processes has all of rank 0 under these names. Tensors that each process has for itself, such as the
/// states of its random numbers, are `rank.{rank}.{name}` for the others, and [`Processes`](crate::checkpoint::Processes) in the metadata
/// has the values in which their metadata differs.
///
/// The checksum is the [XXH3](https://xxhash.com) of 64 bits, with seed 0, of the complete file with each of its own 16 digits
/// replaced by `0`. It covers names, shapes, metadata and elements, so that a change of any byte is detected. Later layouts keep
/// this rule and key, so that a damaged file is never mistaken for one with a later layout.
///
/// The same checkpoint always gives the same bytes.
///
/// # Layout 1
///
/// As layout 2, without a checksum. It is read and no longer written.
pub const LAYOUT: u32 = 2;

/// The first layout that has a checksum.
pub(super) const FIRST_WITH_CHECKSUM: u64 = 2;

/// The key of the metadata in the header.
pub(crate) const METADATA: &str = "tch_lightning";

/// The key of the checksum in the header.
pub(super) const CHECKSUM: &str = "tch_lightning.checksum";

/// The bytes before the header, which are its length.
pub(super) const LENGTH: usize = size_of::<u64>();

/// The longest header that safetensors reads.
pub(super) const LONGEST_HEADER: usize = 100_000_000;
