//! The procedural macros of tch-lightning. Users reach them through the crate `tch_lightning`, which documents them where
//! they are re-exported.

mod batch;
mod catalogue;
mod check;
mod declare;
mod expand;
mod hooks;
mod mistakes;
mod model;
mod parse;
mod shared_moments;
#[cfg(test)]
mod snapshots;
mod types;

use hooks::Role;
use proc_macro::TokenStream;

/// Makes a type a `LightningModule`: write it on the `impl` block that holds the model's hooks.
///
/// - A method named as a hook **is** that hook. It takes any subset of the hook's parameters, by name, in any order, and may
///   return the hook's value or a `Result` of it. It stays an ordinary method, callable by itself. A `_` before the name of a
///   parameter does not count: `_batch_idx` is `batch_idx`.
/// - `parameters` returns the model's `nn::VarStore`, and must be there.
/// - `fn new(hparams: Hparams) -> Self`, where it is written, makes the model from its hyperparameters: the generated program
///   has a flag for each, and a checkpoint keeps them.
/// - Any other method is left as it is. One that starts with `on_`, or nearly has a hook's name, is an error with a suggestion;
///   `#[not_a_hook]` above it says that it is meant.
///
/// The batch's type is that of the parameter `batch` of `training_step`. The macro writes the implementations of the hook
/// traits, the tables that tell the loops which hooks there are, and three functions: `main::<Data>()`, the whole program;
/// `trainer()`, a `Trainer` with the defaults; and `hooks()`, the overridden hooks.
#[proc_macro_attribute]
pub fn lightning_module(arguments: TokenStream, block: TokenStream) -> TokenStream {
    expand::attribute(Role::Module, arguments.into(), block.into()).into()
}

/// Makes a type a `LightningDataModule`: write it on the `impl` block that holds its hooks.
///
/// The rules are those of `#[lightning_module]`; the hooks are those of `DataHooks`: `prepare_data`, `setup`, `teardown`, the
/// four `…_dataloader`s and the three around a batch's way to the device. The batch's type is that of the loaders.
/// `fn new(hparams: Hparams) -> Self` makes it from the command line.
#[proc_macro_attribute]
pub fn lightning_datamodule(arguments: TokenStream, block: TokenStream) -> TokenStream {
    expand::attribute(Role::DataModule, arguments.into(), block.into()).into()
}

/// Makes a type a `Callback`: write it on the `impl` block that holds its hooks.
///
/// The rules are those of `#[lightning_module]`; the hooks are those of `Callback`. Each may ask for `module`, the module
/// that is trained: its type says which modules the callback can watch. A callback that asks for none watches every module
/// whose batches and outputs are those that its hooks ask for.
#[proc_macro_attribute]
pub fn lightning_callback(arguments: TokenStream, block: TokenStream) -> TokenStream {
    expand::attribute(Role::Callback, arguments.into(), block.into()).into()
}

/// Makes a struct or an enum a `Batch`: a tree of tensors that the trainer moves to the device.
///
/// Every field must be a `Batch`: tensors, tuples, vectors, options and maps of them, other derived types, and plain values
/// that stay where they are.
#[proc_macro_derive(Batch)]
pub fn derive_batch(item: TokenStream) -> TokenStream {
    batch::derive(item.into()).into()
}

/// Writes what follows from the declarations of the hooks into the runtime crate: `declare_hooks!(ModelHooks)` the trait of
/// that name with its table and its dispatch, `declare_hooks!(Hook)` the enumeration of all hooks.
#[doc(hidden)]
#[proc_macro]
pub fn declare_hooks(name: TokenStream) -> TokenStream {
    declare::declare(name.into()).into()
}
