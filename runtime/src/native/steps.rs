//! The algorithms' steps over a group.

use std::ffi::c_char;
use std::ptr;

use tch::Tensor;
use torch_sys::C_tensor;

use super::boundary::{NativeError, check};
use super::group::{CGroup, Group};

/// An algorithm's options as C++ takes them.
///
/// # Safety
/// `ENTRY` reads a `Self` behind its second argument, and changes nothing but the group and what its tensors hold.
pub(crate) unsafe trait StepOptions: Sized {
    const ENTRY: unsafe extern "C" fn(*mut CGroup, *const Self, *const C_tensor) -> *mut c_char;
}

impl Group {
    /// One step, which changes nothing where `found_inf`, one f32 number, is given and 1; otherwise it is 0.
    pub(crate) fn step<O: StepOptions>(&mut self, options: &O, found_inf: Option<&Tensor>) -> Result<(), NativeError> {
        let found_inf = found_inf.map_or(ptr::null(), Tensor::as_ptr);
        // SAFETY: the group is alive and borrowed for itself alone, `found_inf` is null or a live tensor, and the entry
        // point reads these options, as their trait's implementation vouches.
        unsafe { check(O::ENTRY(self.raw(), options, found_inf)) }
    }
}

/// Declares options, field by field as C++ has them, with the entry point that reads them.
macro_rules! steps {
    ($($(#[$doc:meta])* $options:ident => $entry:ident { $($field:ident: $type:ty),* $(,)? })*) => {
        unsafe extern "C" {
            $(fn $entry(group: *mut CGroup, options: *const $options, found_inf: *const C_tensor) -> *mut c_char;)*
        }

        $(
            $(#[$doc])*
            #[repr(C)]
            pub(crate) struct $options {
                $(pub(crate) $field: $type,)*
            }

            // SAFETY: the entry point's declaration in C++ takes these options, in the same layout.
            unsafe impl StepOptions for $options {
                const ENTRY: unsafe extern "C" fn(*mut CGroup, *const Self, *const C_tensor) -> *mut c_char = $entry;
            }
        )*
    };
}

steps! {
    /// `lightning::SgdOptions` in `native/sgd.cpp`.
    SgdOptions => lightning_sgd_step {
        lr: f64, momentum: f64, dampening: f64, weight_decay: f64, nesterov: bool, maximize: bool,
    }

    /// `lightning::AdamOptions` in `native/adam.cpp`.
    AdamOptions => lightning_adam_step {
        lr: f64, beta1: f64, beta2: f64, eps: f64, weight_decay: f64,
        decoupled_weight_decay: bool, amsgrad: bool, maximize: bool,
    }

    /// `lightning::AdagradOptions` in `native/adagrad.cpp`.
    AdagradOptions => lightning_adagrad_step {
        lr: f64, lr_decay: f64, weight_decay: f64, initial_accumulator_value: f64, eps: f64, maximize: bool,
    }

    /// `lightning::AdadeltaOptions` in `native/adadelta.cpp`.
    AdadeltaOptions => lightning_adadelta_step {
        lr: f64, rho: f64, eps: f64, weight_decay: f64, maximize: bool,
    }

    /// `lightning::AdamaxOptions` in `native/adamax.cpp`.
    AdamaxOptions => lightning_adamax_step {
        lr: f64, beta1: f64, beta2: f64, eps: f64, weight_decay: f64, maximize: bool,
    }

    /// `lightning::NAdamOptions` in `native/nadam.cpp`.
    NAdamOptions => lightning_nadam_step {
        lr: f64, beta1: f64, beta2: f64, eps: f64, weight_decay: f64, momentum_decay: f64,
        decoupled_weight_decay: bool, maximize: bool,
    }

    /// `lightning::RAdamOptions` in `native/radam.cpp`.
    RAdamOptions => lightning_radam_step {
        lr: f64, beta1: f64, beta2: f64, eps: f64, weight_decay: f64, decoupled_weight_decay: bool, maximize: bool,
    }

    /// `lightning::RmsPropOptions` in `native/rms_prop.cpp`.
    RmsPropOptions => lightning_rms_prop_step {
        lr: f64, alpha: f64, eps: f64, weight_decay: f64, momentum: f64, centered: bool, maximize: bool,
    }
}
