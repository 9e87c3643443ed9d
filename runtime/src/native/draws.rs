use super::NativeError;
use super::boundary::check;
use std::ffi::c_char;
use std::marker::PhantomData;

unsafe extern "C" {
    fn lightning_prepare_draws() -> *mut c_char;
    safe fn lightning_begin_draws(seed: u64);
    fn lightning_end_draws();
    safe fn lightning_seed_draws(seed: u64);
    fn lightning_initial_seed(seed: *mut u64) -> *mut c_char;
}

/// Makes [`with_draws`] possible. It takes some milliseconds the first time, and should come before other threads run
/// operators that are to draw numbers of their own.
///
/// # Errors
/// When another library uses the same dispatch key.
pub(crate) fn prepare_draws() -> Result<(), NativeError> {
    // SAFETY: the answer is an entry point's.
    unsafe { check(lightning_prepare_draws()) }
}

/// Runs `call`, in which what this thread draws on the CPU is decided by `seed` alone, and libtorch's shared generator stays
/// as it is. An operator that is given a generator draws from that one.
pub(crate) fn with_draws<T>(seed: u64, call: impl FnOnce() -> T) -> T {
    lightning_begin_draws(seed);
    let _ended_here = Draws(PhantomData);
    call()
}

/// Within [`with_draws`], has another seed decide what this thread draws from now on; elsewhere without effect.
pub(crate) fn seed_draws(seed: u64) {
    lightning_seed_draws(seed);
}

/// The end of [`with_draws`], which must come on its own thread.
struct Draws(PhantomData<*mut ()>);

impl Drop for Draws {
    fn drop(&mut self) {
        // SAFETY: made only after `lightning_begin_draws`, on this thread, and dropped in the reverse order.
        unsafe { lightning_end_draws() }
    }
}

/// What libtorch's generator of the CPU was seeded with last; a number that differs from process to process where nobody has
/// seeded it.
pub(crate) fn initial_seed() -> u64 {
    let mut seed = 0;
    // SAFETY: the place is valid for the call, and the answer is an entry point's. The generator of the CPU always has a seed.
    let _ = unsafe { check(lightning_initial_seed(&raw mut seed)) };
    seed
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind, Tensor};

    const CPU: (Kind, Device) = (Kind::Float, Device::Cpu);

    /// One of each kind of operator that draws: those that make a tensor, fill one, or draw about one.
    fn drawn() -> Vec<Tensor> {
        let ones = Tensor::ones([20_000], CPU);
        let filled = || ones.copy();
        vec![
            Tensor::rand([3], CPU),
            Tensor::randn([40], CPU),
            Tensor::randint(1000, [3], (Kind::Int64, Device::Cpu)),
            Tensor::randperm(100, (Kind::Int64, Device::Cpu)),
            ones.rand_like(),
            ones.randn_like(),
            ones.randint_like(1000),
            ones.dropout(0.5, true),
            ones.alpha_dropout(0.5, true),
            (&ones * 0.5).bernoulli(),
            ones.multinomial(3, false),
            ones.multinomial(3, true),
            ones.poisson(),
            filled().uniform_(0.0, 1.0),
            filled().normal_(0.0, 1.0),
            filled().exponential_(1.0),
            filled().random_to_(1000),
            filled().bernoulli_float_(0.5),
            ones.dropout(0.25, true),
        ]
    }

    #[test]
    fn every_operator_that_draws_draws_numbers_of_its_threads_own() {
        prepare_draws().unwrap();
        let here = with_draws(7, drawn);
        let there = std::thread::spawn(|| {
            crate::native::use_one_intraop_thread();
            with_draws(7, drawn)
        });
        let there = there.join().unwrap();
        let other = with_draws(8, drawn);
        for (place, ((here, there), other)) in here.iter().zip(&there).zip(&other).enumerate() {
            assert_eq!(here, there, "operator {place} by another thread");
            assert_ne!(here, other, "operator {place} with another seed");
        }
        let again = with_draws(8, || {
            let first = drawn();
            seed_draws(7);
            let second = with_draws(1, || drawn().len()).min(1);
            (first, second, drawn())
        });
        assert_eq!(again.2, here, "seeded again, after nested draws");
    }
}
