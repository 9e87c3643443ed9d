//! `configure_model` creates layers late; its older name does too.

use tch_lightning::Hook;
use tch_lightning::prelude::*;

struct Late {
    vs: nn::VarStore,
    layer: Option<nn::Linear>,
}

#[lightning_module]
impl Late {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_model(&mut self) {
        if self.layer.is_none() {
            self.layer = Some(nn::linear(self.vs.root(), 2, 1, nn::LinearConfig::default()));
        }
    }
}

struct Older {
    vs: nn::VarStore,
}

#[lightning_module]
impl Older {
    fn parameters(&mut self) -> &mut nn::VarStore {
        &mut self.vs
    }

    fn configure_sharded_model(&mut self, _ctx: &mut Context) -> Result<()> {
        Ok(())
    }
}

#[test]
fn hooks_are_found() {
    assert_eq!(Late::hooks(), [Hook::ConfigureModel]);
    assert_eq!(Older::hooks(), [Hook::ConfigureShardedModel]);
}
