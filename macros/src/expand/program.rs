//! The functions that a module gets: `main`, `program`, `trainer` and `hooks`.

use super::conditions::first_of;
use super::quiet;
use crate::free_name::free_name;
use crate::hooks::{self, Role, Step};
use crate::model::{Block, Written};
use crate::types::last_name;
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// The functions that a module gets, unless the block has its own of that name.
pub(crate) fn inherent(block: &Block, private: &TokenStream) -> TokenStream {
    let data = data_parameter(block, private);
    let named = [
        ("main", main(block, &data, private)),
        ("program", program(&data, private)),
        ("trainer", trainer(private)),
        ("hooks", hooks(private)),
    ];
    let functions: Vec<TokenStream> =
        named.into_iter().filter_map(|(name, function)| unless_written(block, name, &function)).collect();
    if block.role != Role::Module || functions.is_empty() {
        return TokenStream::new();
    }
    let (generics, quiet) = (block.generics(), quiet(&block.item.head.attrs));
    let (generics, _, bounds) = generics.split_for_impl();
    let name = &block.item.head.self_ty;
    quote! {
        #quiet
        #[allow(dead_code, unreachable_pub)]
        impl #generics #name #bounds {
            #(#functions)*
        }
    }
}

/// The function where the block has none of this name.
fn unless_written(block: &Block, name: &str, function: &TokenStream) -> Option<TokenStream> {
    let own = block.methods(name).map(|method| (method.condition(), None));
    let (condition, function) = first_of(own, Some(function)).pop()?;
    function.map(|function| quote!(#condition #function))
}

/// The type parameter for the data module of the program.
fn data_parameter(block: &Block, private: &TokenStream) -> Ident {
    let head = &block.item.head;
    let (generics, bounds, ty) = (&head.generics, &head.generics.where_clause, &head.self_ty);
    free_name("Data", quote!(#generics #bounds #ty #private))
}

fn main(block: &Block, data: &Ident, private: &TokenStream) -> TokenStream {
    let name = last_name(&block.item.head.self_ty);
    if loads_its_own_batches(block) {
        let must_use = must_use(&format!("{name}::main()"));
        return quote! {
            /// Runs the program of this module, which has a loader for each of its steps: `fit`, `validate`, `test`, `predict` and
            /// more. `--help` shows its flags.
            #must_use
            pub fn main<#data>() -> ::std::process::ExitCode
            where
                Self: #private::RunsByItself<#data>,
            {
                <Self as #private::RunsByItself<#data>>::main()
            }
        };
    }
    let about =
        format!(" Runs the program of this module with the data module `{data}`: `fit`, `validate`, `test`, `predict`");
    let must_use = must_use(&format!("{name}::main::<Data>()"));
    quote! {
        #[doc = #about]
        /// and more. `--help` shows its flags.
        #must_use
        pub fn main<#data>() -> ::std::process::ExitCode
        where
            Self: #private::RunsWith<#data>,
        {
            <Self as #private::RunsWith<#data>>::main()
        }
    }
}

fn must_use(call: &str) -> TokenStream {
    let reason =
        format!("without its exit code, a failed run looks like a success: write `fn main() -> ExitCode {{ {call} }}`");
    quote!(#[must_use = #reason])
}

/// Whether the block has a loader for each of its steps, and no constructor that reads a data module, so that its program needs none.
fn loads_its_own_batches(block: &Block) -> bool {
    let mut steps = hooks::steps().filter(|(hook, _)| block.written(hook.name()).next().is_some()).peekable();
    let is_loaded = |step: Step| block.has_faulty_loaders || block.written(step.loader).any(Written::is_unconditional);
    let takes_no_data = block.constructors().all(|new| new.data.is_none());
    takes_no_data && steps.peek().is_some() && steps.all(|(_, step)| is_loaded(step))
}

/// The implementation by which the program of a module with loaders of its own needs no data module.
pub(super) fn runs_by_itself(block: &Block, private: &TokenStream) -> Option<TokenStream> {
    if block.role != Role::Module || !loads_its_own_batches(block) {
        return None;
    }
    let quiet = quiet(&block.item.head.attrs);
    let (name, generics) = (&block.item.head.self_ty, block.generics());
    let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let (generics, _, _) = generics.split_for_impl();
    let data = quote!(#private::NoDataModule<<#name as #private::Batched>::Batch>);
    // rustc rejects a bound that never holds, unless it has its own lifetimes
    Some(quote! {
        #quiet
        impl #generics #private::RunsByItself<#data> for #name
        where
            #(#predicates,)*
            for<'__any> #name: #private::RunsWith<#data>,
        {
            fn main() -> ::std::process::ExitCode {
                <#name as #private::RunsWith<#data>>::main()
            }
        }
    })
}

/// The implementation by which the functions of a program are an error on its data module.
pub(super) fn of_data(block: &Block, private: &TokenStream) -> Option<TokenStream> {
    if block.role != Role::DataModule {
        return None;
    }
    let (name, generics, quiet) = (&block.item.head.self_ty, block.generics(), quiet(&block.item.head.attrs));
    let (generics, _, bounds) = generics.split_for_impl();
    Some(quote!(#quiet impl #generics #private::FunctionsOfProgram for #name #bounds {}))
}

fn program(data: &Ident, private: &TokenStream) -> TokenStream {
    let about = format!(
        " Returns the program of this module with the data module `{data}`, for loggers and callbacks to be added."
    );
    quote! {
        #[doc = #about]
        pub fn program<#data>() -> #private::Program<Self, <Self as #private::RunsWith<#data>>::Data>
        where
            Self: #private::RunsWith<#data>,
        {
            <Self as #private::RunsWith<#data>>::program()
        }
    }
}

fn trainer(private: &TokenStream) -> TokenStream {
    quote! {
        /// A trainer of this module with Lightning's defaults.
        pub fn trainer() -> #private::Trainer<Self> {
            ::core::default::Default::default()
        }
    }
}

fn hooks(private: &TokenStream) -> TokenStream {
    quote! {
        /// The hooks that this module overrides.
        pub fn hooks() -> ::std::vec::Vec<#private::Hook> {
            #private::overridden_hooks::<Self>()
        }
    }
}
