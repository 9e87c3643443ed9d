//! The enumeration of all hooks.

use crate::hooks::{Hook, HookTrait, Logs};
use proc_macro2::TokenStream;
use quote::quote;
use std::collections::HashSet;

pub(crate) fn hook() -> TokenStream {
    let mut seen = HashSet::new();
    // a callback's hook of the same name as a module's is the same moment
    let hooks: Vec<Hook> =
        HookTrait::all().flat_map(HookTrait::hooks).filter(|hook| seen.insert(hook.name())).collect();
    let variants: Vec<_> = hooks.iter().map(|hook| hook.variant()).collect();
    let names: Vec<_> = hooks.iter().map(|hook| hook.name()).collect();
    let traits: Vec<_> = hooks.iter().map(|hook| hook.trait_name()).collect();
    let documentation: Vec<_> = hooks.iter().map(|hook| hook.about()).collect();
    let of_step: Vec<_> =
        hooks.iter().filter(|hook| hook.logs() == Some(Logs::ByStep)).map(|hook| hook.variant()).collect();
    let logging: Vec<_> = hooks.iter().filter(|hook| hook.logs().is_some()).map(|hook| hook.variant()).collect();
    let stepping: Vec<_> = hooks.iter().filter(|hook| hook.is_of_step()).map(|hook| hook.variant()).collect();
    let dataloaders: Vec<_> = hooks.iter().filter(|hook| hook.is_dataloader()).map(|hook| hook.variant()).collect();
    let older: Vec<_> = hooks.iter().filter(|hook| hook.newer_name().is_some()).map(|hook| hook.variant()).collect();
    let idle: Vec<_> =
        hooks.iter().filter(|hook| hook.constant_default().is_some()).map(|hook| hook.variant()).collect();
    let named = |name: &str| hooks.iter().find(|hook| hook.name() == name).map(|hook| hook.variant());
    let (steps, loaders): (Vec<_>, Vec<_>) =
        hooks.iter().filter_map(|hook| Some((hook.variant(), named(hook.step()?.loader)?))).unzip();
    quote! {
        /// A moment of a run at which a module, a data module or a callback may act.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Hook {
            #(#[doc = #documentation] #variants,)*
        }

        impl Hook {
            /// Every hook, in the order of declaration.
            pub const ALL: &'static [Self] = &[#(Self::#variants),*];

            /// The name of the method: `on_fit_start`.
            pub const fn name(self) -> &'static str {
                match self { #(Self::#variants => #names,)* }
            }

            /// The trait that declares it: `ModelHooks`.
            pub const fn declared_in(self) -> &'static str {
                match self { #(Self::#variants => #traits,)* }
            }

            /// Whether the hook returns a loader, or several.
            pub const fn is_dataloader(self) -> bool {
                matches!(self, #(Self::#dataloaders)|*)
            }

            /// Whether the default of the hook is a value, so that a module that does not override it is not called.
            pub(crate) const fn does_nothing_by_default(self) -> bool {
                matches!(self, #(Self::#idle)|*)
            }

            /// Whether the name is the older one of another hook.
            pub(crate) const fn is_older_name(self) -> bool {
                matches!(self, #(Self::#older)|*)
            }

            /// The hook that returns the loaders of a step; `None` for a hook that is not a step.
            pub(crate) const fn dataloader(self) -> Option<Self> {
                match self {
                    #(Self::#steps => Some(Self::#loaders),)*
                    _ => None,
                }
            }

            /// Whether a value that is logged in the hook is by default that of the step, and not that of the epoch.
            pub(crate) const fn logs_by_step(self) -> bool {
                matches!(self, #(Self::#of_step)|*)
            }

            /// Whether a value can be logged in the hook.
            pub(crate) const fn can_log(self) -> bool {
                matches!(self, #(Self::#logging)|*)
            }

            /// Whether a value can be logged for the step in the hook.
            pub(crate) const fn can_log_by_step(self) -> bool {
                matches!(self, #(Self::#stepping)|*)
            }

            /// Its documentation.
            pub const fn documentation(self) -> &'static str {
                match self { #(Self::#variants => #documentation,)* }
            }
        }

        impl std::fmt::Display for Hook {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    }
}
