//! Traits with the methods of Lightning and other libraries that have another name here, so that the compiler's error about them names it.
//!
//! A method's trait is implemented for types that implement another trait, which none does: rustc passes over it while there is any other
//! method of the name, and otherwise shows that trait's message.

use crate::python_names::{self, Method};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

pub(crate) fn methods() -> TokenStream {
    let methods = python_names::methods().map(|Method { name, library, instead }| {
        let message = format!("`{name}` is written otherwise than in {library} [TL0006]");
        let module = format_ident!("{name}");
        quote! {
            pub mod #module {
                #[diagnostic::on_unimplemented(message = #message, label = #instead)]
                pub trait WrittenOtherwise {}

                pub trait OfPython {
                    fn #module(&mut self) {}
                }

                impl<T: WrittenOtherwise + ?Sized> OfPython for T {}
            }
        }
    });
    let names = python_names::methods().map(|method| format_ident!("{}", method.name));
    quote! {
        #(#methods)*

        /// The methods, for the prelude.
        pub mod methods {
            #(pub use super::#names::OfPython as _;)*
        }
    }
}
