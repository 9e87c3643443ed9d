use super::NativeError;
use super::boundary::check;
use std::ffi::c_char;
use std::marker::PhantomData;
use tch::Device;

/// `State` in `native/autocast.cpp`: autocast of a thread, for one type of device.
#[repr(C)]
#[derive(Clone, Copy)]
struct State {
    dtype: i8,
    enabled: bool,
    cached: bool,
}

unsafe extern "C" {
    fn lightning_exchange_autocast(device_type: i8, state: *const State, before: *mut State) -> *mut c_char;
}

/// A dtype that autocast computes in, by its number in `c10::ScalarType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub(crate) enum AutocastDtype {
    Float16 = 5,
    BFloat16 = 15,
}

/// Autocast of this thread on a device, while it lives. Guards may be nested, and are dropped in the reverse order.
///
/// No cast is kept for another operator of the same step. libtorch's cache would also keep the casts of a `no_grad` block,
/// and a weight that is used again behind the block would then get no gradient.
#[must_use]
pub(crate) struct Autocast {
    device_type: i8,
    before: State,
    /// It changes its own thread, and must end there.
    _of_this_thread: PhantomData<*mut ()>,
}

impl Autocast {
    /// Operators that gain by it compute in `dtype`, those that need it in float32.
    pub(crate) fn to(dtype: AutocastDtype, device: Device) -> Result<Self, NativeError> {
        Self::exchange(device_type(device), State { dtype: dtype as i8, enabled: true, cached: false })
    }

    /// No autocast, within one or not.
    pub(crate) fn suspended(device: Device) -> Result<Self, NativeError> {
        Self::exchange(
            device_type(device),
            State { dtype: AutocastDtype::BFloat16 as i8, enabled: false, cached: false },
        )
    }

    fn exchange(device_type: i8, state: State) -> Result<Self, NativeError> {
        let mut before = state;
        // SAFETY: both places are valid for the call, and the answer is an entry point's.
        unsafe { check(lightning_exchange_autocast(device_type, &raw const state, &raw mut before)) }?;
        Ok(Self { device_type, before, _of_this_thread: PhantomData })
    }
}

impl Drop for Autocast {
    fn drop(&mut self) {
        let mut ended = self.before;
        // SAFETY: as in `exchange`. What was accepted once is accepted again, and a destructor could not say otherwise.
        let _ = unsafe { check(lightning_exchange_autocast(self.device_type, &raw const self.before, &raw mut ended)) };
    }
}

/// The number in `c10::DeviceType`.
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
    fn a_panic_ends_it() {
        let outcome = std::panic::catch_unwind(|| {
            let _autocast = Autocast::to(AutocastDtype::BFloat16, Device::Cpu).unwrap();
            std::panic::resume_unwind(Box::new("within"))
        });
        assert!(outcome.is_err_and(|panic| panic.is::<&str>()));
        assert_eq!(product().kind(), Kind::Float);
    }

    #[test]
    fn a_weight_used_without_gradients_before_has_its_gradient() {
        let weight = Tensor::ones([2, 2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let _autocast = Autocast::to(AutocastDtype::BFloat16, Device::Cpu).unwrap();
        let _target = tch::no_grad(|| weight.matmul(&weight));
        weight.matmul(&Tensor::ones([2, 2], (Kind::Float, Device::Cpu))).sum(Kind::Float).backward();
        assert_eq!(weight.grad(), Tensor::full([2, 2], 2.0, (Kind::Float, Device::Cpu)));
    }
}
