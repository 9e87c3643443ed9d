use tch::{Kind, TchError, Tensor};

/// The function that converts logits to probabilities.
#[derive(Clone, Copy)]
pub(super) enum Normalization {
    /// Each element separately.
    Sigmoid,
    /// All of a row, along dimension 1.
    Softmax,
}

impl Normalization {
    /// Converts scores to probabilities. They are logits if any of them is below 0 or above 1, which is decided on the device.
    /// Half precision, in which close probabilities would be equal, is converted to f32.
    pub(super) fn probabilities(self, scores: &Tensor) -> Result<Tensor, TchError> {
        let scores = match scores.kind() {
            Kind::Half | Kind::BFloat16 => scores.f_to_kind(Kind::Float)?,
            _ => scores.shallow_clone(),
        };
        let are_logits = scores.f_lt(0)?.f_logical_or(&scores.f_gt(1)?)?.f_any()?;
        let normalized = match self {
            Self::Sigmoid => scores.f_sigmoid()?,
            Self::Softmax => scores.f_softmax(1, None)?,
        };
        normalized.f_where_self(&are_logits, &scores)
    }
}
