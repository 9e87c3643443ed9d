//! The procedural macros of tch-lightning. Users reach them through the crate `tch_lightning`, which documents them where
//! they are re-exported.

mod arguments;
mod attributes;
mod batch;
mod catalogue;
mod check;
mod choice;
mod collate;
mod constructor;
mod crate_files;
mod declare;
mod diagnostics;
mod emptied;
mod erase_lifetimes;
mod every_module;
mod expand;
mod free_name;
mod hooks;
mod misplaced_role;
mod model;
mod other_blocks;
mod parse;
mod prelude_constructors;
mod python_choices;
mod python_names;
mod returned;
mod second_attribute;
#[cfg(test)]
mod snapshots;
mod source_file;
mod taken_apart;
mod torch_names;
mod types;

use hooks::Role;
use proc_macro::TokenStream;

/// Makes a module from the hooks and the steps in its `impl` block: [documentation](https://docs.rs/tch-lightning/latest/tch_lightning/attr.lightning_module.html).
#[proc_macro_attribute]
pub fn lightning_module(arguments: TokenStream, block: TokenStream) -> TokenStream {
    expand::attribute(Role::Module, arguments.into(), block.into()).into()
}

/// Makes a data module from the loaders and the hooks in its `impl` block: [documentation](https://docs.rs/tch-lightning/latest/tch_lightning/attr.lightning_datamodule.html).
#[proc_macro_attribute]
pub fn lightning_datamodule(arguments: TokenStream, block: TokenStream) -> TokenStream {
    expand::attribute(Role::DataModule, arguments.into(), block.into()).into()
}

/// `lightning_datamodule` under another name. It generates what that does, so that the name is the only error.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn lightning_data_module(arguments: TokenStream, block: TokenStream) -> TokenStream {
    expand::misnamed(Role::DataModule, "lightning_data_module", arguments.into(), block.into()).into()
}

/// Makes a callback from the hooks in its `impl` block: [documentation](https://docs.rs/tch-lightning/latest/tch_lightning/attr.lightning_callback.html).
#[proc_macro_attribute]
pub fn lightning_callback(arguments: TokenStream, block: TokenStream) -> TokenStream {
    expand::attribute(Role::Callback, arguments.into(), block.into()).into()
}

/// Makes a struct or an enum a `Batch`: a tree of tensors that the trainer moves to the device.
///
/// Every field must be a `Batch`: tensors, tuples, vectors, options and maps of them, other derived types, and plain values
/// that stay where they are.
///
/// `#[batch(crate = "…")]` is the path of tch-lightning for those who reach it through another crate.
#[proc_macro_derive(Batch, attributes(batch))]
pub fn derive_batch(item: TokenStream) -> TokenStream {
    batch::derive(item.into()).into()
}

/// Makes a struct a sample, which `Collate` joins into a batch: the struct that `#[collate(batch = Rows)]` names, with the same fields, each
/// the batch of the sample's field.
///
/// `#[collate(crate = "…")]` is the path of tch-lightning for those who reach it through another crate.
#[proc_macro_derive(Collate, attributes(collate))]
pub fn derive_collate(item: TokenStream) -> TokenStream {
    collate::derive(item.into()).into()
}

/// Makes an enumeration a `Choice`: hyperparameters of which one set is chosen by flags and configuration files.
///
/// serde must serialize it with a tag, `#[serde(tag = "name")]`. The first paragraphs of the documentation of its variants and of their
/// fields are shown by `--help`.
///
/// `#[choice(crate = "…")]` is the path of tch-lightning for those who reach it through another crate.
#[proc_macro_derive(Choice, attributes(choice))]
pub fn derive_choice(item: TokenStream) -> TokenStream {
    choice::derive(item.into()).into()
}

/// Reports that a module is not derived, and names the attribute that makes one.
#[doc(hidden)]
#[proc_macro_derive(LightningModule)]
pub fn derive_lightning_module(item: TokenStream) -> TokenStream {
    expand::derive(Role::Module, "LightningModule", item.into()).into()
}

/// Reports that a data module is not derived, and names the attribute that makes one.
#[doc(hidden)]
#[proc_macro_derive(LightningDataModule)]
pub fn derive_lightning_data_module(item: TokenStream) -> TokenStream {
    expand::derive(Role::DataModule, "LightningDataModule", item.into()).into()
}

/// Reports that a callback is not derived, and names the attribute that makes one.
#[doc(hidden)]
#[proc_macro_derive(Callback)]
pub fn derive_callback(item: TokenStream) -> TokenStream {
    expand::derive(Role::Callback, "Callback", item.into()).into()
}

/// Writes what follows from the declarations of the hooks into the runtime crate: `declare_hooks!(ModelHooks)` the trait of
/// that name with its table and its dispatch, `declare_hooks!(Hook)` the enumeration of all hooks.
#[doc(hidden)]
#[proc_macro]
pub fn declare_hooks(name: TokenStream) -> TokenStream {
    declare::declare(name.into()).into()
}
