use super::NativeError;
use super::boundary::check;
use super::declarations::{
    lightning_begin_draws, lightning_end_draws, lightning_initial_seed, lightning_prepare_draws, lightning_seed_draws,
};
use std::marker::PhantomData;

/// Registers what [`with_draws`] needs. Takes some milliseconds the first time. Call it before other threads use `with_draws`.
///
/// # Errors
/// If another library uses the same dispatch key.
pub(crate) fn prepare_draws() -> Result<(), NativeError> {
    // SAFETY: the answer is an entry point's.
    unsafe { check(lightning_prepare_draws()) }
}

/// Runs `call` with a random generator of this thread's own on the CPU, seeded with `seed`: libtorch's shared generator does not
/// change. An operator that is given a generator uses that one.
pub(crate) fn with_draws<T>(seed: u64, call: impl FnOnce() -> T) -> T {
    // SAFETY: it only takes a number; the matching `lightning_end_draws` is called below.
    unsafe { lightning_begin_draws(seed) };
    let _ended_here = Draws(PhantomData);
    call()
}

/// Reseeds the generator of the innermost [`with_draws`] of this thread; outside of it, does nothing.
pub(crate) fn seed_draws(seed: u64) {
    // SAFETY: it only takes a number.
    unsafe { lightning_seed_draws(seed) };
}

/// Ends [`with_draws`] when dropped, on its own thread.
struct Draws(PhantomData<*mut ()>);

impl Drop for Draws {
    fn drop(&mut self) {
        // SAFETY: made only after `lightning_begin_draws`, on this thread, and dropped in the reverse order.
        unsafe { lightning_end_draws() }
    }
}

/// Returns the last seed of libtorch's generator of the CPU. It differs from process to process if none was set.
pub(crate) fn initial_seed() -> u64 {
    let mut seed = 0;
    // SAFETY: the pointer is valid for the call, and the answer is an entry point's. The generator of the CPU always has a seed.
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
    fn random_operators_draw_from_their_threads_generator() {
        prepare_draws().unwrap();
        let here = with_draws(7, drawn);
        let there = std::thread::spawn(|| {
            crate::native::use_one_intraop_thread();
            with_draws(7, drawn)
        });
        let there = there.join().unwrap();
        let other = with_draws(8, drawn);
        for (index, ((here, there), other)) in here.iter().zip(&there).zip(&other).enumerate() {
            assert_eq!(here, there, "operator {index} by another thread");
            assert_ne!(here, other, "operator {index} with another seed");
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
