//! `to_torchscript`: what `predict_step` computes, for programs without its Rust code.

use super::Trainer;
use super::requirements::needs_step;
use crate::counted::counted;
use crate::error::Error;
use crate::hook::Hook;
use crate::loops;
use crate::messages::info;
use crate::module::{DataSource, LightningModule, Predicts};
use crate::stage::Stage;
use std::path::Path;
use tch::CModule;

impl<M: LightningModule> Trainer<M> {
    /// Traces what `predict_step` computes from the first batch of `predict_dataloader`, and writes it as a module of TorchScript, which
    /// `torch.jit.load` in Python, `torch::jit::load` in C++ and [`CModule::load`] read. Lightning's
    /// [`to_torchscript`](https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.core.LightningModule.html#lightning.pytorch.core.LightningModule.to_torchscript)
    /// with `method="trace"`.
    ///
    /// `forward` of the written module takes the tensors of the batch that `predict_step` reads, in the order of the batch's fields, as they are
    /// after the hooks that transfer a batch; a label that it does not read is not an argument. It returns the tensors of what
    /// `predict_step` returns: one, or a tuple. Those of a struct are known by `#[derive(Batch)]` above it. The rest is as for
    /// [`torchscript::trace`](crate::torchscript::trace).
    ///
    /// The module is set up as for [`predict`](Self::predict), from [`ckpt_path`](Self::ckpt_path) too; no other hook than
    /// `predict_step` is called for the batch, and no folder of a run is made.
    ///
    /// ```
    /// # use tch_lightning::prelude::*;
    /// # struct Classifier { vs: nn::VarStore, layer: nn::Linear }
    /// #[lightning_module]
    /// impl Classifier {
    ///     fn predict_step(&self, batch: &(Tensor, Tensor)) -> (Tensor, Tensor) {
    ///         let (images, _labels) = batch;
    ///         self.layer.forward(images).softmax(-1, Kind::Float).max_dim(-1, false)
    ///     }
    ///     // …
    /// #   fn parameters(&mut self) -> &mut nn::VarStore { &mut self.vs }
    /// }
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("model.pt");
    /// # let vs = nn::VarStore::new(Device::Cpu);
    /// # let layer = nn::linear(vs.root(), 3, 2, Default::default());
    /// # let mut model = Classifier { vs, layer };
    /// # let images = Tensor::randn([8, 3], (Kind::Float, Device::Cpu));
    /// let data = DataLoader::new(TensorDataset::new((images, Tensor::zeros([8], (Kind::Int64, Device::Cpu))))?).batch_size(4);
    /// Classifier::trainer().to_torchscript(&mut model, Loaders::evaluation(data), &path)?;
    /// // in Python: probability, label = torch.jit.load("model.pt")(images)
    /// # let loaded = tch::CModule::load(&path)?;
    /// # let images = tch::IValue::Tensor(Tensor::randn([9, 3], (Kind::Float, Device::Cpu)));
    /// # assert!(matches!(loaded.forward_is(&[images])?, tch::IValue::Tuple(outputs) if outputs.len() == 2));
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error`]: what a hook returned, or what the configuration, the device or the data lacks; [`Error::TorchScript`] if
    /// `predict_step` cannot be traced, or the file cannot be written.
    pub fn to_torchscript(
        &mut self,
        module: &mut M,
        mut data: impl DataSource<M>,
        path: impl AsRef<Path>,
    ) -> Result<CModule, Error>
    where
        M: Predicts,
    {
        self.run_to_torchscript(module, &mut data, path.as_ref())
    }

    /// [`Trainer::to_torchscript`] with the required hooks checked at run time.
    pub(crate) fn run_to_torchscript(
        &mut self,
        module: &mut M,
        data: &mut dyn DataSource<M>,
        path: &Path,
    ) -> Result<CModule, Error> {
        self.refuse_processes("to_torchscript")?;
        needs_step::<M>(Stage::Predict, Hook::PredictStep, data)?;
        self.run(Stage::Predict, module, data, |run, checkpoint| {
            run.restore_from(checkpoint.as_ref())?;
            let traced = loops::trace(run)?;
            traced.save(path)?;
            let (read, all) = (traced.is_read().iter().filter(|is_read| **is_read).count(), traced.is_read().len());
            if read < all {
                info!(
                    "`forward` takes {read} of the {} of the batch, as `predict_step` does not read the others",
                    counted(all, "tensor")
                );
            }
            Ok(traced.module)
        })
    }
}
