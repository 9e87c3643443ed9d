//! Nothing has to be imported but the attribute, and not even that.

struct Model {
    vs: tch_lightning::prelude::nn::VarStore,
}

#[tch_lightning::lightning_module]
impl Model {
    fn parameters(&mut self) -> &mut tch_lightning::prelude::nn::VarStore {
        &mut self.vs
    }

    fn training_step(
        &mut self,
        ctx: &mut tch_lightning::Context,
        batch: &tch_lightning::prelude::Tensor,
    ) -> anyhow::Result<tch_lightning::prelude::Tensor> {
        ctx.log("mean", batch.mean(None));
        Ok(batch.mean(None))
    }

    fn on_train_epoch_end(&mut self, ctx: &mut tch_lightning::Context) {
        ctx.log("epoch", 1.0);
    }

    fn configure_optimizers(&mut self) -> tch_lightning::optim::Sgd {
        tch_lightning::optim::Sgd::new(0.1)
    }

    fn setup(&mut self, stage: tch_lightning::Stage) {
        println!("{stage}");
    }
}

#[derive(tch_lightning::data::Batch)]
struct Rows(tch_lightning::prelude::Tensor);

#[test]
fn hooks_are_found() {
    use tch_lightning::data::Batch;
    assert_eq!(Model::hooks().len(), 4);
    assert_eq!(Rows(tch_lightning::prelude::Tensor::from_slice(&[1.0, 2.0])).batch_size(), Some(2));
}
