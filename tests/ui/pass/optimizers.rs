//! What `configure_optimizers` may return.

use tch_lightning::Hook;
use tch_lightning::prelude::*;

macro_rules! with {
    ($name:ident, $output:ty, $value:expr) => {
        struct $name {
            vs: nn::VarStore,
        }

        #[lightning_module]
        impl $name {
            fn parameters(&mut self) -> &mut nn::VarStore {
                &mut self.vs
            }

            fn configure_optimizers(&self) -> $output {
                $value
            }
        }
    };
}

with!(One, AdamW, AdamW::new(1e-3));
with!(OneOrError, Result<Sgd>, Ok(Sgd::new(0.1)));
with!(OneOrTorchsError, Result<Adam, tch::TchError>, Ok(Adam::new(0.1)));
with!(Pair, (Sgd, AdamW), (Sgd::new(0.1), AdamW::new(1e-3)));
with!(Several, Vec<Adam>, vec![Adam::new(1e-3), Adam::new(1e-4)]);
with!(Any, Optimizers, AdamW::new(1e-3).into());

#[test]
fn each_is_the_hook() {
    let or_error = [OneOrError::hooks(), OneOrTorchsError::hooks()];
    let all = [One::hooks(), Pair::hooks(), Several::hooks(), Any::hooks()];
    assert!(all.iter().chain(&or_error).all(|hooks| *hooks == [Hook::ConfigureOptimizers]));
}
