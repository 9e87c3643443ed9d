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

            #[doc = concat!("Restricts ", $pytorch, " to the parameters that a pattern of names or another selector chooses.")]
            ///
            /// See [`ParameterGroups`](crate::optim::ParameterGroups) for patterns, and for several groups with different
            /// hyperparameters.
            pub fn over(self, selector: impl Into<crate::optim::Selector>) -> crate::optim::ParameterGroups<Self> {
                crate::optim::ParameterGroups::over(selector, self)
            }

            #[doc = concat!("Returns ", $pytorch, " without weight decay for parameters with fewer than two dimensions.")]
            ///
            /// See [`ParameterGroups::no_decay`](crate::optim::ParameterGroups::no_decay).
            pub fn no_decay(self) -> crate::optim::ParameterGroups<Self> {
                crate::optim::ParameterGroups::new(self).no_decay()
            }

            #[doc = concat!("Returns ", $pytorch, " with learning rates that decay from the last layer to the first.")]
            ///
            /// See [`ParameterGroups::layer_decay`](crate::optim::ParameterGroups::layer_decay).
            pub fn layer_decay<P: Into<String>>(
                self,
                layer_decay: f64,
                layers: impl IntoIterator<Item = P>,
            ) -> crate::optim::ParameterGroups<Self> {
                crate::optim::ParameterGroups::new(self).layer_decay(layer_decay, layers)
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

            fn weight_decay(&self) -> Option<f64> {
                [$(crate::optim::declare::weight_decay!(self, $field)),*].into_iter().flatten().next()
            }

            fn weight_decay_mut(&mut self) -> Option<&mut f64> {
                [$(crate::optim::declare::weight_decay!(mut self, $field)),*].into_iter().flatten().next()
            }

            fn check_ranges(&self) -> Result<(), crate::optim::OptimizerError> {
                crate::optim::range::$lr_range($pytorch, "lr", self.lr)?;
                $($(crate::optim::range::$range($pytorch, stringify!($field), self.$field)?;)?)*
                Ok(())
            }
        }
    };
}

/// Expands to the weight decay of an algorithm if the field is `weight_decay`, and to `None` otherwise.
macro_rules! weight_decay {
    ($self:ident, weight_decay) => {
        Some($self.weight_decay)
    };
    (mut $self:ident, weight_decay) => {
        Some(&mut $self.weight_decay)
    };
    ($self:ident, $other:ident) => {
        None
    };
    (mut $self:ident, $other:ident) => {
        None
    };
}

pub(super) use {algorithm, weight_decay};
