use super::declare::algorithm;
use super::rule::{Rule, Slot};
use crate::native::{Group, MuonOptions, NativeError};
use serde::{Deserialize, Serialize};
use tch::Tensor;

algorithm! {
    /// Muon: [`torch.optim.Muon`](https://docs.pytorch.org/docs/2.13/generated/torch.optim.Muon.html), whose steps are nearly
    /// orthogonal matrices, computed from the momentum in bfloat16.
    ///
    /// It is for the matrices of hidden layers, parameters with two dimensions. Embeddings, the output layer, biases and norms belong to
    /// another algorithm:
    ///
    /// ```
    /// use tch_lightning::optim::{AdamW, Muon, ParameterGroups, Selector};
    ///
    /// let hidden = Selector::new("hidden matrices", |name, tensor| name.starts_with("blocks.") && tensor.dim() == 2);
    /// let groups = ParameterGroups::new(AdamW::new(3e-4)).route(hidden, Muon::new(0.02));
    /// ```
    ///
    /// [Jordan et al., *Muon: An optimizer for hidden layers in neural networks*](https://kellerjordan.github.io/posts/muon/).
    pub struct Muon("Muon", momentum = momentum) {
        /// Learning rate, 0 or more. Default 0.001.
        lr: f64 where finite_non_negative = 1e-3,
        /// Decoupled weight decay, 0 or more. Default 0.1.
        weight_decay: f64 where finite_non_negative = 0.1,
        /// Momentum factor, 0 or more. Default 0.95.
        momentum: f64 where finite_non_negative = 0.95,
        /// Use Nesterov momentum. Default true.
        nesterov: bool = true,
        /// Coefficients of the polynomial of the iteration. Default (3.4445, -4.7750, 2.0315).
        ns_coefficients: (f64, f64, f64) where coefficients = (3.4445, -4.7750, 2.0315),
        /// The least norm by which the momentum is divided, 0 or more. Default 1e-7.
        eps: f64 where finite_non_negative = 1e-7,
        /// The number of iterations, below 100. Default 5.
        ns_steps: usize where below_100 = 5,
        /// How the learning rate depends on the shape of a matrix. Default `None`: [`AdjustLr::Original`].
        adjust_lr_fn: Option<AdjustLr> = None,
    }
}

/// How the learning rate of [`Muon`] depends on the shape of a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AdjustLr {
    /// That of Muon's authors: multiplied by `sqrt(max(1, rows / columns))`.
    Original,
    /// The updates have the usual root mean square of AdamW, whose learning rates and weight decays suit: multiplied by
    /// `0.2 * sqrt(max(rows, columns))`.
    ///
    /// [Liu et al., *Muon is Scalable for LLM Training*](https://arxiv.org/abs/2502.16982).
    MatchRmsAdamw,
}

impl Rule for Muon {
    fn slots(&self) -> &'static [Slot] {
        const { &[Slot::elementwise("momentum_buffer")] }
    }

    fn refusal(&self, parameter: &Tensor) -> Option<String> {
        let shape = parameter.size();
        if shape.len() != 2 {
            return Some(format!(
                "its shape is {shape:?}, and the algorithm is for two dimensions: give the others to another algorithm, \
                 by `ParameterGroups::route`"
            ));
        }
        parameter.is_complex().then(|| "it is complex, and the algorithm is for real numbers only".to_owned())
    }

    fn step(&self, group: &mut Group, found_inf: Option<&Tensor>) -> Result<(), NativeError> {
        let Self { lr, weight_decay, momentum, nesterov, ns_coefficients: (ns_a, ns_b, ns_c), eps, ns_steps, .. } =
            *self;
        let match_rms_adamw = self.adjust_lr_fn == Some(AdjustLr::MatchRmsAdamw);
        let options =
            MuonOptions { lr, weight_decay, momentum, nesterov, ns_a, ns_b, ns_c, eps, ns_steps, match_rms_adamw };
        group.step(&options, found_inf)
    }
}
