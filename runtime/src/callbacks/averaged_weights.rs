//! Averages of a module's weights over training, kept where the weights are.

use crate::module::{NamedParameter, copy};
use crate::native::lerp;
use anyhow::Result;
use tch::{TchError, Tensor, no_grad};

/// A module's tensors, and averages of what they were. PyTorch's
/// [`AveragedModel`](https://docs.pytorch.org/docs/2.13/optim.html#weight-averaging-swa-and-ema).
#[derive(Debug)]
pub(super) struct AveragedWeights {
    all: Vec<Pair>,
    /// Those that are averaged, once more, as one kernel takes them; the others follow the module's.
    averages: Vec<Tensor>,
    weights: Vec<Tensor>,
    n_averaged: u64,
    is_swapped: bool,
}

#[derive(Debug)]
struct Pair {
    name: String,
    /// The module's own.
    weight: Tensor,
    average: Tensor,
    is_averaged: bool,
}

/// What stands in the module while its averages do, or the averages themselves.
pub(super) type Named = Vec<(String, Tensor)>;

impl AveragedWeights {
    /// Averages of `averaged`, and copies of `followed`, which are as they are now until the first update. What has no
    /// fractions is not averaged.
    pub(super) fn new(averaged: Vec<NamedParameter>, followed: Vec<NamedParameter>) -> Result<Self, TchError> {
        let averaged = averaged.into_iter().map(|(name, weight)| {
            let has_fractions = weight.is_floating_point() || weight.is_complex();
            Pair::new(name, weight, has_fractions)
        });
        let followed = followed.into_iter().map(|(name, weight)| Pair::new(name, weight, false));
        let all: Vec<Pair> = averaged.chain(followed).collect::<Result<_, _>>()?;
        let in_kernel = || all.iter().filter(|pair| pair.is_averaged);
        let averages = in_kernel().map(|pair| pair.average.shallow_clone()).collect();
        let weights = in_kernel().map(|pair| pair.weight.shallow_clone()).collect();
        Ok(Self { all, averages, weights, n_averaged: 0, is_swapped: false })
    }

    /// How often the averages were updated.
    pub(super) fn n_averaged(&self) -> u64 {
        self.n_averaged
    }

    /// Takes over how often they were updated, with averages that were saved.
    pub(super) fn set_n_averaged(&mut self, n_averaged: u64) {
        self.n_averaged = n_averaged;
    }

    /// Moves the averages towards the module's weights, `weight` of the way; the first time they become equal. Nothing
    /// waits for the device.
    pub(super) fn update(&mut self, weight: f64) -> Result<()> {
        let copied = |pair: &&mut Pair| self.n_averaged == 0 || !pair.is_averaged;
        no_grad(|| {
            self.all.iter_mut().filter(copied).try_for_each(|pair| pair.average.f_copy_(&pair.weight).map(drop))
        })?;
        if self.n_averaged > 0 {
            lerp(&self.averages, &self.weights, weight)?;
        }
        self.n_averaged = self.n_averaged.saturating_add(1);
        Ok(())
    }

    /// The averages, by the names of the weights.
    pub(super) fn averages(&self) -> Named {
        self.named(!self.is_swapped)
    }

    /// The module's own weights, also while the averages stand in their place.
    pub(super) fn weights(&self) -> Named {
        self.named(self.is_swapped)
    }

    fn named(&self, average: bool) -> Named {
        let tensor = |pair: &Pair| if average { pair.average.shallow_clone() } else { pair.weight.shallow_clone() };
        self.all.iter().map(|pair| (pair.name.clone(), tensor(pair))).collect()
    }

    /// Puts the averages in the place of the module's weights, until they are swapped out.
    pub(super) fn swap_in(&mut self) -> Result<(), TchError> {
        if self.is_swapped { Ok(()) } else { self.swap() }
    }

    /// Puts the module's weights back.
    pub(super) fn swap_out(&mut self) -> Result<(), TchError> {
        if self.is_swapped { self.swap() } else { Ok(()) }
    }

    fn swap(&mut self) -> Result<(), TchError> {
        self.is_swapped = !self.is_swapped;
        no_grad(|| self.all.iter_mut().try_for_each(Pair::swap))
    }

    /// Makes the averages the module's weights.
    pub(super) fn transfer(&mut self) -> Result<(), TchError> {
        no_grad(|| self.all.iter_mut().try_for_each(|pair| pair.weight.f_copy_(&pair.average).map(drop)))
    }
}

impl Pair {
    fn new(name: String, weight: Tensor, is_averaged: bool) -> Result<Self, TchError> {
        let average = copy(&weight)?;
        Ok(Self { name, weight, average, is_averaged })
    }

    fn swap(&mut self) -> Result<(), TchError> {
        let average = copy(&self.average)?;
        self.average.f_copy_(&self.weight)?;
        self.weight.f_copy_(&average)?;
        Ok(())
    }
}
