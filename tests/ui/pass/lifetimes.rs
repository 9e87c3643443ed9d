//! Lifetimes may stand on a hook, and `'static` on the type.

use tch_lightning::prelude::*;

struct Model<'n> {
    vs: nn::VarStore,
    name: &'n str,
}

#[lightning_module]
impl Model<'static> {
    fn parameters<'s>(&'s mut self) -> &'s mut nn::VarStore {
        &mut self.vs
    }

    fn training_step<'a>(&'a self, batch: &'a (Tensor, i64)) -> Tensor {
        let named: &'a str = if self.name.is_empty() { "" } else { self.name };
        batch.0.mean(None) * f64::from(u8::from(named.is_empty()))
    }

    fn validation_step<'a, 'b>(&'a mut self, ctx: &'b mut Context, batch: &(Tensor, i64)) -> &'static str {
        ctx.log(self.name, batch.0.mean(None));
        "seen"
    }
}

#[test]
fn hooks_are_found() {
    assert_eq!(Model::hooks().len(), 2);
}
