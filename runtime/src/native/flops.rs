use super::NativeError;
use super::boundary::check;
use super::declarations::{lightning_flops_finish, lightning_flops_start};
use std::marker::PhantomData;

/// Counts the floating-point operations of this thread and of the backward passes that it begins, until it is finished or dropped.
/// Counters are finished in the reverse order of their starts.
pub(crate) struct FlopCounter {
    /// Not `Send`: it must be finished on its own thread.
    _of_this_thread: PhantomData<*mut ()>,
}

impl FlopCounter {
    pub(crate) fn start() -> Result<Self, NativeError> {
        // SAFETY: the answer is an entry point's.
        unsafe { check(lightning_flops_start()) }?;
        Ok(Self { _of_this_thread: PhantomData })
    }

    /// Returns the number of operations since the start.
    pub(crate) fn finish(self) -> Result<u64, NativeError> {
        std::mem::forget(self);
        stop()
    }
}

fn stop() -> Result<u64, NativeError> {
    let mut flops = 0;
    // SAFETY: the pointer is to a variable of this function. The caller owns a counter that was started on this thread, so that there is
    // one to end.
    unsafe { check(lightning_flops_finish(&raw mut flops)) }?;
    Ok(flops)
}

impl Drop for FlopCounter {
    fn drop(&mut self) {
        // a panic has come in between, and the count is of no use
        let _ = stop();
    }
}

#[cfg(test)]
mod tests {
    use crate::profiler::count_flops;
    use tch::nn::{self, Module};
    use tch::{Device, Kind, Tensor};

    fn input(size: &[i64]) -> Tensor {
        Tensor::randn(size, (Kind::Float, Device::Cpu))
    }

    fn backward(output: &Tensor) {
        output.sum(Kind::Float).backward();
    }

    /// The numbers of `torch.utils.flop_counter.FlopCounterMode` (PyTorch 2.13) for the same layers, but for the last.
    #[test]
    fn counts_are_those_of_pytorch() {
        let vs = nn::VarStore::new(Device::Cpu);
        let (first, second) =
            (nn::linear(vs.root(), 32, 64, <_>::default()), nn::linear(vs.root(), 64, 2, <_>::default()));
        let rows = input(&[16, 32]);
        assert_eq!(count_flops(|| first.forward(&rows)).1, 65_536);
        assert_eq!(count_flops(|| backward(&second.forward(&first.forward(&rows).relu()))).1, 143_360);

        let stride_2 = nn::ConvConfig { stride: 2, padding: 1, ..<_>::default() };
        let conv = nn::conv2d(vs.root(), 3, 6, 3, stride_2);
        let other = nn::conv(
            vs.root(),
            6,
            4,
            [2, 3],
            nn::ConvConfigND::<[i64; 2]> { stride: [1, 1], padding: [0, 0], dilation: [1, 1], ..<_>::default() },
        );
        let images = input(&[2, 3, 9, 8]);
        assert_eq!(count_flops(|| other.forward(&conv.forward(&images).relu())).1, 17_568);
        assert_eq!(count_flops(|| backward(&other.forward(&conv.forward(&images).relu()))).1, 39_744);
        let transposed =
            nn::conv_transpose2d(vs.root(), 3, 5, 3, nn::ConvTransposeConfig { stride: 2, ..<_>::default() });
        assert_eq!(count_flops(|| transposed.forward(&images)).1, 38_880);
        assert_eq!(count_flops(|| backward(&transposed.forward(&images))).1, 77_760);

        let (left, right) = (input(&[4, 5, 6]).set_requires_grad(true), input(&[4, 6, 7]).set_requires_grad(true));
        assert_eq!(count_flops(|| backward(&left.matmul(&right))).1, 5040);

        // 2 products of [8, 16] by [16, 8] for each of 2·3 heads
        let query = input(&[2, 3, 8, 16]);
        let attention =
            || Tensor::scaled_dot_product_attention(&query, &query, &query, None::<Tensor>, 0.0, false, None, false);
        assert_eq!(count_flops(attention).1, 2 * 3 * 2 * (2 * 8 * 16 * 8));
    }

    #[test]
    fn nested_counts_belong_to_both() {
        let square = Tensor::ones([4, 4], (Kind::Float, Device::Cpu));
        let ((_, inner), outer) = count_flops(|| {
            let _ = square.matmul(&square);
            count_flops(|| square.matmul(&square))
        });
        assert_eq!((inner, outer), (128, 256));
        assert_eq!(count_flops(|| square.sum(Kind::Float)).1, 0);
    }
}
