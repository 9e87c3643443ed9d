//! What a worker is reading, for those who wait for it.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Something that a worker reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    /// The sample with this index.
    Sample(usize),
    /// The sample at this place in the worker's stream.
    StreamSample(usize),
    /// The batch with this number, apart from its samples.
    Batch(usize),
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sample(index) => write!(f, "sample {index} of the dataset"),
            Self::StreamSample(position) => write!(f, "sample {position} of its stream"),
            Self::Batch(batch_idx) => write!(f, "batch {batch_idx}"),
        }
    }
}

/// What one worker is reading, shared with whoever waits for it.
#[derive(Debug, Clone, Default)]
pub(super) struct ReadingNow(Arc<Mutex<Option<Item>>>);

thread_local! {
    /// That of this thread, where it is a worker.
    static OF_THREAD: RefCell<Option<ReadingNow>> = const { RefCell::new(None) };
}

impl ReadingNow {
    /// Makes it that of this thread.
    pub(super) fn is_of_this_thread(&self) {
        OF_THREAD.set(Some(self.clone()));
    }

    /// What the worker is reading, in words.
    pub(super) fn item(&self) -> String {
        let item = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        item.map_or_else(|| "nothing yet".to_owned(), |item| item.to_string())
    }
}

/// Notes that this thread begins to read something.
pub(super) fn begin(item: Item) {
    OF_THREAD.with_borrow(|now| {
        if let Some(ReadingNow(now)) = now {
            *now.lock().unwrap_or_else(PoisonError::into_inner) = Some(item);
        }
    });
}
