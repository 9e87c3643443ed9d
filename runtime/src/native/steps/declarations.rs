//! The boundary to the optimizers: the options and the entry points of `sgd.cpp` and of the files of the other algorithms, under the rules of
//! the other [`declarations`](super::super::declarations).

use super::super::declarations::CGroup;
use std::ffi::c_char;
use torch_sys::C_tensor;

#[repr(C)]
pub(crate) struct SgdOptions {
    pub(crate) lr: f64,
    pub(crate) momentum: f64,
    pub(crate) dampening: f64,
    pub(crate) weight_decay: f64,
    pub(crate) nesterov: bool,
    pub(crate) maximize: bool,
}

#[repr(C)]
pub(crate) struct AdamOptions {
    pub(crate) lr: f64,
    pub(crate) beta1: f64,
    pub(crate) beta2: f64,
    pub(crate) eps: f64,
    pub(crate) weight_decay: f64,
    pub(crate) decoupled_weight_decay: bool,
    pub(crate) amsgrad: bool,
    pub(crate) maximize: bool,
}

#[repr(C)]
pub(crate) struct AdagradOptions {
    pub(crate) lr: f64,
    pub(crate) lr_decay: f64,
    pub(crate) weight_decay: f64,
    pub(crate) initial_accumulator_value: f64,
    pub(crate) eps: f64,
    pub(crate) maximize: bool,
}

#[repr(C)]
pub(crate) struct AdadeltaOptions {
    pub(crate) lr: f64,
    pub(crate) rho: f64,
    pub(crate) eps: f64,
    pub(crate) weight_decay: f64,
    pub(crate) maximize: bool,
}

#[repr(C)]
pub(crate) struct AdamaxOptions {
    pub(crate) lr: f64,
    pub(crate) beta1: f64,
    pub(crate) beta2: f64,
    pub(crate) eps: f64,
    pub(crate) weight_decay: f64,
    pub(crate) maximize: bool,
}

#[repr(C)]
pub(crate) struct NAdamOptions {
    pub(crate) lr: f64,
    pub(crate) beta1: f64,
    pub(crate) beta2: f64,
    pub(crate) eps: f64,
    pub(crate) weight_decay: f64,
    pub(crate) momentum_decay: f64,
    pub(crate) decoupled_weight_decay: bool,
    pub(crate) maximize: bool,
}

#[repr(C)]
pub(crate) struct RAdamOptions {
    pub(crate) lr: f64,
    pub(crate) beta1: f64,
    pub(crate) beta2: f64,
    pub(crate) eps: f64,
    pub(crate) weight_decay: f64,
    pub(crate) decoupled_weight_decay: bool,
    pub(crate) maximize: bool,
}

#[repr(C)]
pub(crate) struct RmsPropOptions {
    pub(crate) lr: f64,
    pub(crate) alpha: f64,
    pub(crate) eps: f64,
    pub(crate) weight_decay: f64,
    pub(crate) momentum: f64,
    pub(crate) centered: bool,
    pub(crate) maximize: bool,
}

#[repr(C)]
pub(crate) struct AdafactorOptions {
    pub(crate) lr: f64,
    pub(crate) beta2_decay: f64,
    pub(crate) has_eps1: bool,
    pub(crate) eps1: f64,
    pub(crate) eps2: f64,
    pub(crate) d: f64,
    pub(crate) weight_decay: f64,
    pub(crate) maximize: bool,
}

#[repr(C)]
pub(crate) struct LionOptions {
    pub(crate) lr: f64,
    pub(crate) beta1: f64,
    pub(crate) beta2: f64,
    pub(crate) weight_decay: f64,
    pub(crate) maximize: bool,
}

#[repr(C)]
pub(crate) struct MuonOptions {
    pub(crate) lr: f64,
    pub(crate) weight_decay: f64,
    pub(crate) momentum: f64,
    pub(crate) nesterov: bool,
    pub(crate) ns_a: f64,
    pub(crate) ns_b: f64,
    pub(crate) ns_c: f64,
    pub(crate) eps: f64,
    pub(crate) ns_steps: usize,
    pub(crate) match_rms_adamw: bool,
}

// one file for each algorithm
unsafe extern "C" {
    pub(super) fn lightning_sgd_step(
        group: *mut CGroup,
        options: *const SgdOptions,
        found_inf: *const C_tensor,
    ) -> *mut c_char;
    pub(super) fn lightning_adam_step(
        group: *mut CGroup,
        options: *const AdamOptions,
        found_inf: *const C_tensor,
    ) -> *mut c_char;
    pub(super) fn lightning_adagrad_step(
        group: *mut CGroup,
        options: *const AdagradOptions,
        found_inf: *const C_tensor,
    ) -> *mut c_char;
    pub(super) fn lightning_adadelta_step(
        group: *mut CGroup,
        options: *const AdadeltaOptions,
        found_inf: *const C_tensor,
    ) -> *mut c_char;
    pub(super) fn lightning_adamax_step(
        group: *mut CGroup,
        options: *const AdamaxOptions,
        found_inf: *const C_tensor,
    ) -> *mut c_char;
    pub(super) fn lightning_nadam_step(
        group: *mut CGroup,
        options: *const NAdamOptions,
        found_inf: *const C_tensor,
    ) -> *mut c_char;
    pub(super) fn lightning_radam_step(
        group: *mut CGroup,
        options: *const RAdamOptions,
        found_inf: *const C_tensor,
    ) -> *mut c_char;
    pub(super) fn lightning_rms_prop_step(
        group: *mut CGroup,
        options: *const RmsPropOptions,
        found_inf: *const C_tensor,
    ) -> *mut c_char;
    pub(super) fn lightning_adafactor_step(
        group: *mut CGroup,
        options: *const AdafactorOptions,
        found_inf: *const C_tensor,
    ) -> *mut c_char;
    pub(super) fn lightning_lion_step(
        group: *mut CGroup,
        options: *const LionOptions,
        found_inf: *const C_tensor,
    ) -> *mut c_char;
    pub(super) fn lightning_muon_step(
        group: *mut CGroup,
        options: *const MuonOptions,
        found_inf: *const C_tensor,
    ) -> *mut c_char;
}
