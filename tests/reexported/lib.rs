//! What the macros write finds the crate under the path that it is given, and needs nothing else that is in scope. No lint
//! of those that are allowed by default, and none of clippy's, is meant for it.
#![no_implicit_prelude]
#![forbid(deprecated, nonstandard_style, non_ascii_idents, unsafe_code, unused_must_use, unused_qualifications)]
#![deny(
    warnings,
    future_incompatible,
    let_underscore,
    rust_2018_idioms,
    rust_2024_compatibility,
    unused,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    missing_docs,
    redundant_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unused_import_braces,
    unused_lifetimes,
    unused_results,
    variant_size_differences,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::cargo
)]
#![allow(clippy::cargo_common_metadata, clippy::missing_const_for_fn, clippy::multiple_crate_versions)]

use ::umbrella::training::lightning::data::DataLoader;
use ::umbrella::training::lightning::optim::Sgd;
use ::umbrella::training::lightning::prelude::{nn, Device, ExitCode, Tensor};
use ::umbrella::training::lightning::{
    lightning_callback, lightning_datamodule, lightning_module, module::Flow, Context,
};

/// A batch.
#[derive(::std::fmt::Debug, ::umbrella::training::lightning::data::Batch)]
#[batch(crate = "::umbrella::training::lightning")]
pub struct Rows {
    input: Tensor,
}

/// A module.
#[derive(::std::fmt::Debug)]
pub struct Model {
    vs: nn::VarStore,
    batches: usize,
}

#[lightning_module(crate = "::umbrella::training::lightning")]
impl Model {
    fn new() -> Self {
        Self { vs: nn::VarStore::new(Device::Cpu), batches: 0 }
    }

    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn training_step(&mut self, ctx: &mut Context, batch: &Rows) -> Tensor {
        let loss = batch.input.mean(::std::option::Option::None);
        ::std::mem::drop(ctx.log("loss", &loss));
        loss
    }

    fn on_train_batch_start(&mut self, batch_idx: usize) -> Flow {
        self.batches = batch_idx;
        Flow::Continue
    }

    fn configure_optimizers(&mut self) -> ::std::io::Result<Sgd> {
        if self.batches > 0 {
            return ::std::result::Result::Err(::std::io::Error::other("too late"));
        }
        ::std::result::Result::Ok(Sgd::new(0.1))
    }
}

/// A module that optimizes by itself.
#[derive(::std::fmt::Debug)]
pub struct Manual {
    vs: nn::VarStore,
}

#[lightning_module(automatic_optimization = false, crate = "::umbrella::training::lightning")]
impl Manual {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }
}

/// A data module.
#[derive(::std::fmt::Debug)]
pub struct Data {
    rows: i64,
}

#[lightning_datamodule(crate = "::umbrella::training::lightning")]
impl Data {
    fn new() -> Self {
        Self { rows: 3 }
    }

    fn train_dataloader(&mut self) -> ::std::io::Result<DataLoader<Rows>> {
        ::std::result::Result::Err(::std::io::Error::other(::std::string::ToString::to_string(&self.rows)))
    }
}

/// A callback.
#[derive(::std::fmt::Debug)]
pub struct Watcher {
    epochs: usize,
}

#[lightning_callback(crate = "::umbrella::training::lightning")]
impl Watcher {
    fn on_train_epoch_end(&mut self, ctx: &mut Context) {
        self.epochs = ctx.current_epoch();
    }

    fn on_train_batch_end(&mut self, batch: &Rows, outputs: &Tensor) {
        self.epochs += batch.input.size().len() + outputs.size().len();
    }
}

/// A program.
#[must_use]
pub fn run() -> ExitCode {
    Model::main::<Data>()
}
