//! The types of a program, as values: what reads its flags and files is compiled once, in this crate, and not in each program.

use crate::module::{FromHparamsAndData, HasHparams, HyperparameterType, LightningDataModule, LightningModule};
use std::any::type_name;

/// The module and the data module of a program.
#[derive(Clone, Copy)]
pub(super) struct Types {
    pub(super) model: Type,
    pub(super) data: Type,
    /// The table of their hooks.
    pub(super) hooks: fn() -> String,
}

#[derive(Clone, Copy)]
pub(super) struct Type {
    pub(super) name: &'static str,
    pub(super) hparams: HyperparameterType,
}

impl Types {
    pub(super) fn of<M, D>() -> Self
    where
        M: LightningModule + FromHparamsAndData<D>,
        D: LightningDataModule + HasHparams,
    {
        Self { model: Type::of::<M>(), data: Type::of::<D>(), hooks: super::hooks::table::<M, D> }
    }
}

impl Type {
    fn of<T: HasHparams>() -> Self {
        Self { name: type_name::<T>(), hparams: HyperparameterType::of::<T::Hparams>() }
    }
}
