//! Averages of a module's weights over training, on the module's device.

use crate::module::{NamedParameter, copy};
use crate::native::lerp;
use anyhow::Result;
use tch::{TchError, Tensor, no_grad};

/// A module's tensors, and the averages of their values. PyTorch's
/// [`AveragedModel`](https://docs.pytorch.org/docs/2.13/optim.html#weight-averaging-swa-and-ema).
#[derive(Debug)]
pub(super) struct AveragedWeights {
    all: Vec<Pair>,
    /// The averages again, as the argument of one kernel; tensors that are not averaged are copied.
    averages: Vec<Tensor>,
    weights: Vec<Tensor>,
    n_averaged: u64,
    is_swapped: bool,
}

#[derive(Debug)]
struct Pair {
    name: String,
    /// The module's tensor.
    weight: Tensor,
    average: Tensor,
    is_averaged: bool,
}

/// Tensors with their names.
pub(super) type Named = Vec<(String, Tensor)>;

impl AveragedWeights {
    /// Creates averages of `averaged`, and copies of `followed`, with the current values until the first update. Integer
    /// tensors are copied instead of averaged.
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

    /// Returns the number of updates of the averages.
    pub(super) fn n_averaged(&self) -> u64 {
        self.n_averaged
    }

    /// Sets the number of updates, for averages that were restored.
    pub(super) fn set_n_averaged(&mut self, n_averaged: u64) {
        self.n_averaged = n_averaged;
    }

    /// Moves the averages towards the module's weights by the fraction `weight`; the first update makes them equal. Does not
    /// synchronize with the device.
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

    /// Returns the averages, by the names of the weights.
    pub(super) fn averages(&self) -> Named {
        self.named(!self.is_swapped)
    }

    /// Returns the module's own weights, also while they are swapped with the averages.
    pub(super) fn weights(&self) -> Named {
        self.named(self.is_swapped)
    }

    fn named(&self, average: bool) -> Named {
        let tensor = |pair: &Pair| if average { pair.average.shallow_clone() } else { pair.weight.shallow_clone() };
        self.all.iter().map(|pair| (pair.name.clone(), tensor(pair))).collect()
    }

    /// Swaps the averages into the module, until [`swap_out`](Self::swap_out).
    pub(super) fn swap_in(&mut self) -> Result<(), TchError> {
        if self.is_swapped { Ok(()) } else { self.swap() }
    }

    /// Swaps the module's own weights back.
    pub(super) fn swap_out(&mut self) -> Result<(), TchError> {
        if self.is_swapped { self.swap() } else { Ok(()) }
    }

    fn swap(&mut self) -> Result<(), TchError> {
        self.is_swapped = !self.is_swapped;
        no_grad(|| self.all.iter_mut().try_for_each(Pair::swap))
    }

    /// Copies the averages into the module's weights.
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
