//! The callbacks of `configure_callbacks` and `Trainer::callbacks`: in tuples, options and collections, without a `Box` each.

use super::{Callback, LightningModule};

/// Callbacks for the module `M`: what `configure_callbacks` returns, and what [`Trainer::callbacks`](crate::Trainer::callbacks) and
/// [`Program::callbacks`](crate::cli::Program::callbacks) take.
///
/// These are callbacks, in any combination:
/// - one [`Callback`] by itself;
/// - a tuple of up to eight: `(ModelCheckpoint, EarlyStopping)`;
/// - `Option`, `Vec` and an array of them;
/// - `Box<dyn Callback<M>>`, if the type is only known at run time.
///
/// `Kind` is inferred; it distinguishes a callback from a collection.
///
/// ```
/// use tch_lightning::prelude::*;
/// use tch_lightning::{callbacks::{EarlyStopping, ModelCheckpoint}};
///
/// struct Model {
///     vs: nn::VarStore,
///     patience: Option<usize>,
/// }
///
/// #[lightning_module]
/// impl Model {
///     fn configure_callbacks(&self) -> (ModelCheckpoint, Option<EarlyStopping>) {
///         let stopping = self.patience.map(|patience| EarlyStopping::new("val_loss").patience(patience));
///         (ModelCheckpoint::new().monitor("val_loss"), stopping)
///     }
///     // …
/// #   fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as callbacks for `{M}` [TL0201]",
    label = "write a callback here, or a tuple, an `Option` or a `Vec` of callbacks",
    note = "a callback is a type whose `impl` block has `#[lightning_callback]` and hooks that watch `{M}`"
)]
pub trait IntoCallbacks<M: LightningModule, Kind> {
    /// Returns the callbacks, in the order in which their hooks are called.
    fn into_callbacks(self) -> Vec<Box<dyn Callback<M>>>;
}

/// The [`IntoCallbacks`] kind of a callback by itself.
#[derive(Debug, Clone, Copy)]
pub struct Single;

/// The [`IntoCallbacks`] kind of a callback in a `Box`.
#[derive(Debug, Clone, Copy)]
pub struct Boxed;

/// The [`IntoCallbacks`] kind of a collection whose items are of `Kind`; a tuple of kinds for a tuple.
#[derive(Debug, Clone, Copy)]
pub struct Several<Kind>(std::marker::PhantomData<Kind>);

#[diagnostic::do_not_recommend]
impl<M: LightningModule, C: Callback<M>> IntoCallbacks<M, Single> for C {
    fn into_callbacks(self) -> Vec<Box<dyn Callback<M>>> {
        vec![Box::new(self)]
    }
}

#[diagnostic::do_not_recommend]
impl<M: LightningModule> IntoCallbacks<M, Boxed> for Box<dyn Callback<M>> {
    fn into_callbacks(self) -> Vec<Box<dyn Callback<M>>> {
        vec![self]
    }
}

#[diagnostic::do_not_recommend]
impl<M: LightningModule, Kind, C: IntoCallbacks<M, Kind>> IntoCallbacks<M, Several<Kind>> for Vec<C> {
    fn into_callbacks(self) -> Vec<Box<dyn Callback<M>>> {
        self.into_iter().flat_map(C::into_callbacks).collect()
    }
}

#[diagnostic::do_not_recommend]
impl<M: LightningModule, Kind, C: IntoCallbacks<M, Kind>, const N: usize> IntoCallbacks<M, Several<Kind>> for [C; N] {
    fn into_callbacks(self) -> Vec<Box<dyn Callback<M>>> {
        self.into_iter().flat_map(C::into_callbacks).collect()
    }
}

#[diagnostic::do_not_recommend]
impl<M: LightningModule, Kind, C: IntoCallbacks<M, Kind>> IntoCallbacks<M, Several<Kind>> for Option<C> {
    fn into_callbacks(self) -> Vec<Box<dyn Callback<M>>> {
        self.into_iter().flat_map(C::into_callbacks).collect()
    }
}

/// Implements [`IntoCallbacks`] for a tuple of these types, of these kinds.
macro_rules! tuple {
    ($($callbacks:ident $kind:ident),+) => {
        #[diagnostic::do_not_recommend]
        impl<M: LightningModule, $($kind, $callbacks: IntoCallbacks<M, $kind>),+>
            IntoCallbacks<M, Several<($($kind,)+)>> for ($($callbacks,)+)
        {
            #[allow(non_snake_case, reason = "each variable has the name of its type")]
            fn into_callbacks(self) -> Vec<Box<dyn Callback<M>>> {
                let ($($callbacks,)+) = self;
                let mut list = Vec::new();
                $(list.extend($callbacks.into_callbacks());)+
                list
            }
        }
    };
}

tuple!(A KindA);
tuple!(A KindA, B KindB);
tuple!(A KindA, B KindB, C KindC);
tuple!(A KindA, B KindB, C KindC, D KindD);
tuple!(A KindA, B KindB, C KindC, D KindD, E KindE);
tuple!(A KindA, B KindB, C KindC, D KindD, E KindE, F KindF);
tuple!(A KindA, B KindB, C KindC, D KindD, E KindE, F KindF, G KindG);
tuple!(A KindA, B KindB, C KindC, D KindD, E KindE, F KindF, G KindG, H KindH);
