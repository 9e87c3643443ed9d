use super::NativeError;
use super::boundary::check;
use super::declarations::{AutocastState, lightning_exchange_autocast};
use std::marker::PhantomData;
use tch::Device;

/// A dtype for autocast, with its number in `c10::ScalarType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub(crate) enum AutocastDtype {
    Float16 = 5,
    BFloat16 = 15,
}

/// A guard of this thread's autocast on a device. Guards may be nested, and must be dropped in the reverse order.
///
/// libtorch's cache of casts is off: it would also keep the casts of a `no_grad` block, and a weight that is used again after the
/// block would then get no gradient.
#[must_use]
pub(crate) struct Autocast {
    device_type: i8,
    before: AutocastState,
    /// Not `Send`: it must be dropped on its own thread.
    _of_this_thread: PhantomData<*mut ()>,
}

impl Autocast {
    /// Enables autocast to `dtype`.
    pub(crate) fn to(dtype: AutocastDtype, device: Device) -> Result<Self, NativeError> {
        Self::exchange(device_type(device), AutocastState { dtype: dtype as i8, enabled: true, cached: false })
    }

    /// Disables autocast.
    pub(crate) fn suspended(device: Device) -> Result<Self, NativeError> {
        Self::exchange(
            device_type(device),
            AutocastState { dtype: AutocastDtype::BFloat16 as i8, enabled: false, cached: false },
        )
    }

    fn exchange(device_type: i8, state: AutocastState) -> Result<Self, NativeError> {
        let mut before = state;
        // SAFETY: both pointers are valid for the call, and the result is an entry point's.
        unsafe { check(lightning_exchange_autocast(device_type, &raw const state, &raw mut before)) }?;
        Ok(Self { device_type, before, _of_this_thread: PhantomData })
    }
}

impl Drop for Autocast {
    fn drop(&mut self) {
        let mut ended = self.before;
        // SAFETY: as in `exchange`. These settings were accepted before, and a destructor cannot return an error.
        let _ = unsafe { check(lightning_exchange_autocast(self.device_type, &raw const self.before, &raw mut ended)) };
    }
}

/// Returns the number of a device in `c10::DeviceType`.
fn device_type(device: Device) -> i8 {
    match device {
        Device::Cpu => 0,
        Device::Cuda(_) => 1,
        Device::Vulkan => 10,
        Device::Mps => 13,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Kind, Tensor};

    fn product() -> Tensor {
        let ones = Tensor::ones([2, 2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        ones.matmul(&ones)
    }

    #[test]
    fn guards_are_nested() {
        let kind = || product().kind();
        assert_eq!(kind(), Kind::Float);
        let bfloat16 = Autocast::to(AutocastDtype::BFloat16, Device::Cpu).unwrap();
        assert_eq!(kind(), Kind::BFloat16);
        {
            let _float16 = Autocast::to(AutocastDtype::Float16, Device::Cpu).unwrap();
            assert_eq!(kind(), Kind::Half);
            let _suspended = Autocast::suspended(Device::Cpu).unwrap();
            assert_eq!(kind(), Kind::Float);
        }
        assert_eq!(kind(), Kind::BFloat16);
        drop(bfloat16);
        assert_eq!(kind(), Kind::Float);
    }

    #[test]
    fn autocast_ends_at_a_panic() {
        let outcome = std::panic::catch_unwind(|| {
            let _autocast = Autocast::to(AutocastDtype::BFloat16, Device::Cpu).unwrap();
            std::panic::resume_unwind(Box::new("within"))
        });
        assert!(outcome.is_err_and(|panic| panic.is::<&str>()));
        assert_eq!(product().kind(), Kind::Float);
    }

    #[test]
    fn weight_used_without_gradients_before_has_its_gradient() {
        let weight = Tensor::ones([2, 2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let _autocast = Autocast::to(AutocastDtype::BFloat16, Device::Cpu).unwrap();
        let _target = tch::no_grad(|| weight.matmul(&weight));
        weight.matmul(&Tensor::ones([2, 2], (Kind::Float, Device::Cpu))).sum(Kind::Float).backward();
        assert_eq!(weight.grad(), Tensor::full([2, 2], 2.0, (Kind::Float, Device::Cpu)));
    }
}
