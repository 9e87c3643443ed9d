//! The macro that declares an algorithm.

/// Declares the type of an algorithm from its name in PyTorch, its momentum if it has one, and its hyperparameters, each with
/// its documentation, type, default, and optionally its range (a function of the module `range`).
///
/// The macro generates the defaults, `new`, a setter for each hyperparameter except the learning rate, `over`, and
/// [`Declared`](super::rule::Declared).
macro_rules! algorithm {
    (
        $(#[$about:meta])*
        pub struct $name:ident($pytorch:literal $(, momentum = $($momentum:tt).+)?) {
            $(#[$about_lr:meta])*
            lr: f64 where $lr_range:ident = $lr:expr,
            $(
                $(#[$about_field:meta])*
                $field:ident: $type:ty $(where $range:ident)? = $default:expr,
            )*
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        #[must_use]
        pub struct $name {
            $(#[$about_lr])*
            pub lr: f64,
            $(
                $(#[$about_field])*
                pub $field: $type,
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { lr: $lr, $($field: $default),* }
            }
        }

        impl $name {
            #[doc = concat!("Creates ", $pytorch, " with this learning rate, and defaults for the other hyperparameters.")]
            pub fn new(lr: f64) -> Self {
                Self { lr, ..Self::default() }
            }

            $(
                #[doc = concat!("Sets `", stringify!($field), "`.")]
                ///
                $(#[$about_field])*
                pub fn $field(self, $field: $type) -> Self {
                    Self { $field, ..self }
                }
            )*

            #[doc = concat!("Restricts ", $pytorch, " to the parameters whose names match the pattern.")]
            ///
            /// See [`ParameterGroups`](crate::optim::ParameterGroups) for patterns, and for several groups with different
            /// hyperparameters.
            pub fn over(self, pattern: impl Into<String>) -> crate::optim::ParameterGroups<Self> {
                crate::optim::ParameterGroups::over(pattern, self)
            }
        }

        impl crate::optim::rule::Declared for $name {
            fn name(&self) -> &'static str {
                $pytorch
            }

            fn lr(&self) -> f64 {
                self.lr
            }

            fn lr_mut(&mut self) -> &mut f64 {
                &mut self.lr
            }

            $(
                fn momentum(&self) -> Option<f64> {
                    Some(self.$($momentum).+)
                }

                fn momentum_mut(&mut self) -> Option<&mut f64> {
                    Some(&mut self.$($momentum).+)
                }
            )?

            fn check_ranges(&self) -> Result<(), crate::optim::OptimizerError> {
                crate::optim::range::$lr_range($pytorch, "lr", self.lr)?;
                $($(crate::optim::range::$range($pytorch, stringify!($field), self.$field)?;)?)*
                Ok(())
            }
        }
    };
}

pub(super) use algorithm;
