//! The steps of the optimizers over a group.

mod declarations;

use std::ffi::c_char;
use std::ptr;

use tch::Tensor;
use torch_sys::C_tensor;

use super::boundary::{NativeError, check};
use super::declarations::CGroup;
use super::group::Group;
pub(crate) use declarations::{
    AdadeltaOptions, AdafactorOptions, AdagradOptions, AdamOptions, AdamaxOptions, LionOptions, MuonOptions,
    NAdamOptions, RAdamOptions, RmsPropOptions, SgdOptions,
};

/// The options of an optimizer's step in C++.
///
/// # Safety
/// `ENTRY` reads a `Self` through its second argument, and changes only the group and the contents of its tensors.
pub(crate) unsafe trait StepOptions: Sized {
    const ENTRY: unsafe extern "C" fn(*mut CGroup, *const Self, *const C_tensor) -> *mut c_char;
}

impl Group {
    /// Steps once. `found_inf` is one f32 number, 0 or 1; the step changes nothing if it is 1.
    pub(crate) fn step<O: StepOptions>(&mut self, options: &O, found_inf: Option<&Tensor>) -> Result<(), NativeError> {
        let found_inf = found_inf.map_or(ptr::null(), Tensor::as_ptr);
        // SAFETY: the group is alive and borrowed exclusively, `found_inf` is null or a live tensor, and the entry
        // point reads these options, by the contract of `StepOptions`.
        unsafe { check(O::ENTRY(self.raw(), options, found_inf)) }
    }
}

macro_rules! steps {
    ($($options:ident => $entry:ident,)*) => {
        $(
            // SAFETY: the entry point takes these options: C++ reads the struct that `declarations` declares.
            unsafe impl StepOptions for $options {
                const ENTRY: unsafe extern "C" fn(*mut CGroup, *const Self, *const C_tensor) -> *mut c_char =
                    declarations::$entry;
            }
        )*
    };
}

steps! {
    SgdOptions => lightning_sgd_step,
    AdamOptions => lightning_adam_step,
    AdagradOptions => lightning_adagrad_step,
    AdadeltaOptions => lightning_adadelta_step,
    AdamaxOptions => lightning_adamax_step,
    NAdamOptions => lightning_nadam_step,
    RAdamOptions => lightning_radam_step,
    RmsPropOptions => lightning_rms_prop_step,
    AdafactorOptions => lightning_adafactor_step,
    LionOptions => lightning_lion_step,
    MuonOptions => lightning_muon_step,
}
