//! What is written on a loader in Python and otherwise here, so that the compiler's error says how.

use super::DataLoader;
use std::iter::Empty;

/// The loader, whatever its batches.
#[doc(hidden)]
#[derive(Debug)]
pub enum AnyLoader {}

macro_rules! methods {
    ($($name:ident -> $returned:ty: $bound:ident, $message:literal, $label:literal;)*) => {
        $(
            /// Implemented by nothing.
            #[doc(hidden)]
            #[diagnostic::on_unimplemented(message = $message, label = $label)]
            pub trait $bound {
                #[doc(hidden)]
                fn never<T>() -> T;
            }
        )*

        #[allow(clippy::len_without_is_empty, clippy::should_implement_trait)]
        impl<B> DataLoader<B> {
            $(
                #[doc(hidden)]
                pub fn $name(&self) -> $returned
                where
                    for<'any> AnyLoader: $bound,
                {
                    <AnyLoader as $bound>::never()
                }
            )*
        }
    };
}

methods! {
    len -> usize: HasLen, "the length of a loader is written otherwise than in PyTorch [TL0006]",
        "write `.num_batches()`, which is `None` for a stream";
    iter -> Empty<B>: IsIterated, "a loader is read by epochs [TL0006]",
        "write `.epoch(0)?`, an iterator of the batches, each in a `Result`";
    clone -> Self: IsCloned, "a loader cannot be cloned [TL0006]",
        "keep the dataset in the field, and make the loader where it is returned: `DataLoader::new(self.dataset.clone())`";
}
