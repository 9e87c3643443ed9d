//! The item that a worker is reading, for the messages about a worker that hangs.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// An item that a worker reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    /// The sample with this index.
    Sample(usize),
    /// The sample at this position of the worker's stream.
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

/// The item that one worker is reading, shared with the thread that waits for the worker.
#[derive(Debug, Clone, Default)]
pub(super) struct CurrentItem(Arc<Mutex<Option<Item>>>);

thread_local! {
    /// The current item of this thread, if it is a worker.
    static OF_THREAD: RefCell<Option<CurrentItem>> = const { RefCell::new(None) };
}

impl CurrentItem {
    /// Makes this the current item of this thread.
    pub(super) fn attach_to_this_thread(&self) {
        OF_THREAD.set(Some(self.clone()));
    }

    /// Describes the item that the worker is reading.
    pub(super) fn describe(&self) -> String {
        let item = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        item.map_or_else(|| "nothing yet".to_owned(), |item| item.to_string())
    }
}

/// Records that this thread starts to read `item`.
pub(super) fn begin(item: Item) {
    OF_THREAD.with_borrow(|now| {
        if let Some(CurrentItem(now)) = now {
            *now.lock().unwrap_or_else(PoisonError::into_inner) = Some(item);
        }
    });
}
