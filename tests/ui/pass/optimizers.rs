//! What `configure_optimizers` may return.

use tch_lightning::Hook;
use tch_lightning::optim::{Algorithm, ParameterGroups};
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
with!(Three, (Sgd, Adam, AdamW), (Sgd::new(0.1), Adam::new(0.1), AdamW::new(1e-3)));
with!(Any, Optimizers, AdamW::new(1e-3).into());
with!(Groups, ParameterGroups<AdamW>, ParameterGroups::new(AdamW::new(1e-3)).group("**.bias", AdamW::new(1e-2)));
with!(Chosen, ParameterGroups, Algorithm::from(AdamW::new(1e-3)).over("generator.**"));
with!(
    Gan,
    Result<(ParameterGroups<Adam>, ParameterGroups<Adam>)>,
    Ok((Adam::new(1e-3).over("generator.**"), Adam::new(1e-4).over("discriminator.**")))
);
with!(GroupsAndOne, (ParameterGroups<Sgd>, AdamW), (Sgd::new(0.1).over("**.weight"), AdamW::new(1e-3)));
with!(SeveralGroups, Vec<ParameterGroups<Adam>>, vec![Adam::new(1e-3).over("generator.**")]);

#[test]
fn optimizers_are_accepted() {
    let or_error = [OneOrError::hooks(), OneOrTorchsError::hooks()];
    let all = [One::hooks(), Pair::hooks(), Three::hooks(), Several::hooks(), Any::hooks()];
    let groups = [Groups::hooks(), Chosen::hooks(), Gan::hooks(), GroupsAndOne::hooks(), SeveralGroups::hooks()];
    assert!(all.iter().chain(&groups).chain(&or_error).all(|hooks| *hooks == [Hook::ConfigureOptimizers]));
}
