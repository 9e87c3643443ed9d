use serde::{Deserialize, Serialize};

/// The precision of float32 matrix multiplications. PyTorch's
/// [`set_float32_matmul_precision`](https://docs.pytorch.org/docs/stable/generated/torch.set_float32_matmul_precision.html).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Float32MatmulPrecision {
    /// float32, which is libtorch's default
    Highest,
    /// TensorFloat32, or the sum of two bfloat16 numbers
    High,
    /// bfloat16
    Medium,
}
