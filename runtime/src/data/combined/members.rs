//! The members of a combined loader.

use crate::data::draws::Epoch;
use crate::data::reader::WrapSampler;
use crate::data::{Batch, Batches, DataError, DataLoader};
use crate::signal::Caught;

/// Loaders that can be combined: a tuple of up to eight, or a `Vec` of loaders of the same type. Sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be combined into one loader",
    label = "neither a tuple nor a `Vec` of loaders",
    note = "write `CombinedLoader::max_size_cycle((first, second))`; up to eight loaders fit into a tuple"
)]
pub trait Combine: sealed::Sealed + 'static {
    /// A batch of each loader: a tuple, or a `Vec`.
    type Batch: Batch;

    /// The same, with `None` for loaders that are exhausted.
    type Optional: Batch;

    #[doc(hidden)]
    type Members<'a>: Members<Batches = Self::Optional>;

    /// Returns a batch of each loader, if all have one.
    #[doc(hidden)]
    fn complete(batches: Self::Optional) -> Option<Self::Batch>;

    #[doc(hidden)]
    fn members(&self, epoch: Epoch) -> Result<Self::Members<'_>, DataError>;

    #[doc(hidden)]
    fn num_batches(&self) -> Vec<Option<usize>>;

    #[doc(hidden)]
    fn make_sequential(&mut self) -> bool;

    #[doc(hidden)]
    fn divide_streams(&mut self, process: (usize, usize));

    #[doc(hidden)]
    fn describe(&self) -> String;

    #[doc(hidden)]
    fn map_sampler(&mut self, wrap: &mut WrapSampler<'_>) -> Result<(), DataError>;
}

mod sealed {
    pub trait Sealed {}
}

/// The loaders in an epoch.
pub trait Members {
    /// The batches of one step.
    type Batches;

    /// The members.
    fn each(&mut self) -> Vec<&mut dyn Member>;

    /// The fingerprint of each member's epoch.
    fn fingerprints(&self) -> Vec<u64>;

    /// Takes the batches that the members have read. An error of one is an error of the step.
    fn take(&mut self) -> Result<Self::Batches, DataError>;
}

/// One of the loaders in an epoch, with its batch type erased.
pub trait Member {
    /// Reads a batch, or finds that there is none left.
    fn read(&mut self);

    /// Whether a batch has been read and not taken.
    fn has_batch(&self) -> bool;

    /// Whether the loader has been exhausted at least once.
    fn was_exhausted(&self) -> bool;

    /// Whether no batches are left.
    fn is_exhausted(&self) -> bool;

    /// Whether the next batch can be returned without blocking.
    fn is_ready(&mut self) -> bool;

    /// Stops waiting for workers when a signal is caught.
    fn watch(&mut self, caught: &Caught);

    /// Starts over, in another order.
    fn restart(&mut self);

    /// Continues with a batch, counted from the start of the epoch.
    fn skip_to(&mut self, batch_idx: usize);

    /// As `skip_to`, but starts over for a batch past the last one.
    fn cycle_to(&mut self, batch_idx: usize);
}

/// One of the loaders in an epoch.
pub struct Loading<'a, B> {
    loader: &'a DataLoader<B>,
    position: usize,
    epoch: Epoch,
    batches: Batches<'a, B>,
    caught: Option<Caught>,
    /// The number of times that the loader has started over.
    restarts: u64,
    was_exhausted: bool,
    batch: Option<Result<B, DataError>>,
}

impl<'a, B: Batch> Loading<'a, B> {
    fn new(loader: &'a DataLoader<B>, position: usize, epoch: Epoch) -> Result<Self, DataError> {
        // with the same seed, two loaders that shuffle one dataset would pair each sample with itself
        let epoch = Epoch { seed: epoch.seed.derived(position), ..epoch };
        let batches = loader.epoch_with(epoch.number, epoch.seed).map_err(|error| of_loader(position, error))?;
        Ok(Self { loader, position, epoch, batches, caught: None, restarts: 0, was_exhausted: false, batch: None })
    }

    fn take(&mut self) -> Result<Option<B>, DataError> {
        self.batch.take().transpose().map_err(|error| of_loader(self.position, error))
    }

    /// Starts over for the `restarts`th time.
    fn start(&mut self, restarts: u64) {
        self.restarts = restarts;
        match self.loader.epoch_with(self.epoch.number + (restarts << 32), self.epoch.seed) {
            Ok(batches) => {
                self.batches = batches;
                if let Some(caught) = &self.caught {
                    self.batches.watch_mut(caught);
                }
            }
            Err(error) => self.batch = Some(Err(error)),
        }
    }
}

impl<B: Batch> Member for Loading<'_, B> {
    fn read(&mut self) {
        if self.batch.is_none() {
            self.batch = self.batches.next();
            self.was_exhausted |= self.batch.is_none();
        }
    }

    fn has_batch(&self) -> bool {
        self.batch.is_some()
    }

    fn was_exhausted(&self) -> bool {
        self.was_exhausted
    }

    fn is_exhausted(&self) -> bool {
        self.batches.is_exhausted()
    }

    fn is_ready(&mut self) -> bool {
        self.batches.is_ready()
    }

    fn watch(&mut self, caught: &Caught) {
        self.batches.watch_mut(caught);
        self.caught = Some(caught.clone());
    }

    fn restart(&mut self) {
        self.start(self.restarts + 1);
    }

    fn skip_to(&mut self, batch_idx: usize) {
        self.batch = None;
        self.was_exhausted = false;
        if self.restarts > 0 {
            self.start(0);
        }
        self.batches.go_to(batch_idx);
    }

    fn cycle_to(&mut self, batch_idx: usize) {
        self.skip_to(0);
        if let Some(all) = self.batches.num_batches().filter(|&all| batch_idx >= all) {
            self.was_exhausted = true;
            self.start((batch_idx / all) as u64);
            self.batches.go_to(batch_idx % all);
        } else {
            self.batches.go_to(batch_idx);
        }
    }
}

pub(super) fn of_loader(position: usize, source: DataError) -> DataError {
    DataError::Combined { position, source: Box::new(source) }
}

fn in_parentheses(descriptions: impl IntoIterator<Item = String>) -> String {
    let each: Vec<String> = descriptions.into_iter().map(|description| format!("({description})")).collect();
    format!("a combination of {}", each.join(" and "))
}

impl<B: Batch> sealed::Sealed for Vec<DataLoader<B>> {}

impl<B: Batch> Combine for Vec<DataLoader<B>> {
    type Batch = Vec<B>;
    type Optional = Vec<Option<B>>;
    type Members<'a> = Vec<Loading<'a, B>>;

    fn complete(batches: Vec<Option<B>>) -> Option<Vec<B>> {
        batches.into_iter().collect()
    }

    fn members(&self, epoch: Epoch) -> Result<Vec<Loading<'_, B>>, DataError> {
        self.iter().enumerate().map(|(position, loader)| Loading::new(loader, position, epoch)).collect()
    }

    fn num_batches(&self) -> Vec<Option<usize>> {
        self.iter().map(DataLoader::num_batches).collect()
    }

    fn make_sequential(&mut self) -> bool {
        // `any` would stop at the first
        let changed: Vec<bool> = self.iter_mut().map(DataLoader::make_sequential).collect();
        changed.contains(&true)
    }

    fn divide_streams(&mut self, process: (usize, usize)) {
        self.iter_mut().for_each(|loader| loader.divide_streams_of(process));
    }

    fn describe(&self) -> String {
        in_parentheses(self.iter().map(DataLoader::describe))
    }

    fn map_sampler(&mut self, wrap: &mut WrapSampler<'_>) -> Result<(), DataError> {
        self.iter_mut()
            .enumerate()
            .try_for_each(|(position, loader)| loader.map_sampler_by(wrap).map_err(|error| of_loader(position, error)))
    }
}

impl<B: Batch> Members for Vec<Loading<'_, B>> {
    type Batches = Vec<Option<B>>;

    fn each(&mut self) -> Vec<&mut dyn Member> {
        self.iter_mut().map(|member| member as &mut dyn Member).collect()
    }

    fn fingerprints(&self) -> Vec<u64> {
        self.iter().map(|member| member.batches.fingerprint()).collect()
    }

    fn take(&mut self) -> Result<Vec<Option<B>>, DataError> {
        // all batches are taken before the first error is returned, so that all members continue at the same step
        let taken: Vec<_> = self.iter_mut().map(Loading::take).collect();
        taken.into_iter().collect()
    }
}

macro_rules! combine_tuple {
    ($($batch:ident $position:tt)+) => {
        impl<$($batch: Batch),+> sealed::Sealed for ($(DataLoader<$batch>,)+) {}

        impl<$($batch: Batch),+> Combine for ($(DataLoader<$batch>,)+) {
            type Batch = ($($batch,)+);
            type Optional = ($(Option<$batch>,)+);
            type Members<'a> = ($(Loading<'a, $batch>,)+);

            fn complete(batches: Self::Optional) -> Option<Self::Batch> {
                Some(($(batches.$position?,)+))
            }

            fn members(&self, epoch: Epoch) -> Result<Self::Members<'_>, DataError> {
                Ok(($(Loading::new(&self.$position, $position, epoch)?,)+))
            }

            fn num_batches(&self) -> Vec<Option<usize>> {
                vec![$(self.$position.num_batches()),+]
            }

            fn make_sequential(&mut self) -> bool {
                [$(self.$position.make_sequential()),+].contains(&true)
            }

            fn divide_streams(&mut self, process: (usize, usize)) {
                $(self.$position.divide_streams_of(process);)+
            }

            fn describe(&self) -> String {
                in_parentheses([$(self.$position.describe()),+])
            }

            fn map_sampler(&mut self, wrap: &mut WrapSampler<'_>) -> Result<(), DataError> {
                $(self.$position.map_sampler_by(wrap).map_err(|error| of_loader($position, error))?;)+
                Ok(())
            }
        }

        impl<$($batch: Batch),+> Members for ($(Loading<'_, $batch>,)+) {
            type Batches = ($(Option<$batch>,)+);

            fn each(&mut self) -> Vec<&mut dyn Member> {
                vec![$(&mut self.$position),+]
            }

            fn fingerprints(&self) -> Vec<u64> {
                vec![$(self.$position.batches.fingerprint()),+]
            }

            fn take(&mut self) -> Result<Self::Batches, DataError> {
                let taken = ($(self.$position.take(),)+);
                Ok(($(taken.$position?,)+))
            }
        }
    };
}

combine_tuple!(A 0);
combine_tuple!(A 0 B 1);
combine_tuple!(A 0 B 1 C 2);
combine_tuple!(A 0 B 1 C 2 D 3);
combine_tuple!(A 0 B 1 C 2 D 3 E 4);
combine_tuple!(A 0 B 1 C 2 D 3 E 4 F 5);
combine_tuple!(A 0 B 1 C 2 D 3 E 4 F 5 G 6);
combine_tuple!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);
