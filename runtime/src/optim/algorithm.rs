use serde::{Deserialize, Serialize};

use super::rule::Rule;
use super::{
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Lbfgs, Lion, Muon, NAdam, OptimizerError, ParameterGroups,
    RAdam, RmsProp, Selector, Sgd,
};

/// Passes the name of each algorithm, with its documentation, to a macro.
macro_rules! each_algorithm {
    ($declare:ident) => {
        $declare! {
            /// Stochastic gradient descent.
            Sgd,
            /// Adam, whose weight decay is an L2 penalty.
            Adam,
            /// Adam with decoupled weight decay.
            AdamW,
            /// Adam with an infinity norm in place of the root mean square.
            Adamax,
            /// Adam with Nesterov momentum.
            NAdam,
            /// Adam with a rectified variance.
            RAdam,
            /// Gradients divided by their root mean square.
            RmsProp,
            /// Gradients divided by the root of the sum of their squares.
            Adagrad,
            /// Gradients divided by their root mean square and multiplied by that of the previous steps.
            Adadelta,
            /// Adam with the variance of a matrix factored into its rows and columns, which needs little memory.
            Adafactor,
            /// Steps by the sign of the momentum.
            Lion,
            /// Momentum orthogonalized by the iteration of Newton and Schulz, for matrices.
            Muon,
            /// L-BFGS, which evaluates the loss several times per step.
            Lbfgs,
        }
    };
}

pub(super) use each_algorithm;

macro_rules! algorithms {
    ($($(#[$about:meta])* $name:ident,)*) => {
        /// An optimization algorithm with its hyperparameters, not yet bound to parameters.
        ///
        /// `into()` converts each algorithm's type to it. The serialized form is the algorithm's name with its
        /// hyperparameters, as in `{"AdamW": {"lr": 0.001, …}}`; missing hyperparameters have their defaults.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Algorithm {
            $($(#[$about])* $name($name),)*
        }

        impl Algorithm {
            pub(super) fn rule(&self) -> &dyn Rule {
                match self {
                    $(Self::$name(algorithm) => algorithm,)*
                }
            }

            fn rule_mut(&mut self) -> &mut dyn Rule {
                match self {
                    $(Self::$name(algorithm) => algorithm,)*
                }
            }
        }

        $(impl From<$name> for Algorithm {
            fn from(algorithm: $name) -> Self {
                Self::$name(algorithm)
            }
        })*
    };
}

each_algorithm!(algorithms);

impl Algorithm {
    /// The algorithm's name in PyTorch, such as `AdamW`.
    pub fn name(&self) -> &'static str {
        self.rule().name()
    }

    /// The learning rate.
    pub fn lr(&self) -> f64 {
        self.rule().lr()
    }

    /// Sets the learning rate. It is checked when an [`Optimizer`](super::Optimizer) is created, not here.
    pub fn set_lr(&mut self, lr: f64) {
        *self.rule_mut().lr_mut() = lr;
    }

    /// The momentum, which some schedules change: `momentum` of SGD and RMSprop, `betas.0` of Adam and its variants; `None`
    /// for the others.
    pub fn momentum(&self) -> Option<f64> {
        self.rule().momentum()
    }

    /// Sets [`momentum`](Self::momentum). It is checked when an [`Optimizer`](super::Optimizer) is created, not here.
    ///
    /// # Errors
    /// [`OptimizerError::NoMomentum`] if the algorithm has no momentum.
    pub fn set_momentum(&mut self, momentum: f64) -> Result<(), OptimizerError> {
        let optimizer = self.name();
        *self.rule_mut().momentum_mut().ok_or(OptimizerError::NoMomentum { optimizer })? = momentum;
        Ok(())
    }

    /// The weight decay, whether it is decoupled or an L2 penalty; `None` for L-BFGS, which has none.
    pub fn weight_decay(&self) -> Option<f64> {
        self.rule().weight_decay()
    }

    /// Returns the algorithm without weight decay.
    pub(super) fn without_weight_decay(mut self) -> Self {
        if let Some(weight_decay) = self.rule_mut().weight_decay_mut() {
            *weight_decay = 0.0;
        }
        self
    }

    /// Checks the hyperparameters by PyTorch's rules. Numbers with which nothing can be trained are rejected as well: those that
    /// are not finite, an `alpha` of [`RmsProp`](super::RmsProp) above 1, and a `max_iter` of [`Lbfgs`](super::Lbfgs) of 0.
    ///
    /// # Errors
    /// [`OptimizerError::Hyperparameter`] for the first one that is out of range.
    pub fn validate(&self) -> Result<(), OptimizerError> {
        self.rule().check_ranges()?;
        self.rule().check_together()
    }

    /// Restricts the algorithm to the parameters whose names match the pattern, or that another [`Selector`] chooses: see
    /// [`ParameterGroups`].
    pub fn over(self, selector: impl Into<Selector>) -> ParameterGroups {
        ParameterGroups::over(selector, self)
    }

    /// Whether both are the same algorithm, such as two `AdamW` with different hyperparameters.
    pub(super) fn is_of_the_kind_of(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}
