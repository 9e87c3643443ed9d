//! The runtime's module for generated code, under a name with the version.

use crate::expand::{VERSION, private_module_name};
use proc_macro2::TokenStream;
use quote::quote;

pub(crate) fn module() -> TokenStream {
    let name = private_module_name();
    quote! {
        #[doc(hidden)]
        pub mod #name {
            pub use crate::private::*;
        }

        // the macros are generated against exactly this version of the runtime
        const _: () = assert!(
            same_text(env!("CARGO_PKG_VERSION"), #VERSION),
            "tch-lightning and tch-lightning-macros have different versions",
        );

        /// `==` in a constant.
        const fn same_text(one: &str, other: &str) -> bool {
            let (one, other) = (one.as_bytes(), other.as_bytes());
            let mut number = 0;
            while number < one.len() && number < other.len() && one[number] == other[number] {
                number += 1;
            }
            one.len() == other.len() && number == one.len()
        }
    }
}
