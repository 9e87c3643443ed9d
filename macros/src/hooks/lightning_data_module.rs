declarations! {
    /// Datasets and their loaders, apart from the model: one object that several models can train on.
    ///
    /// `#[lightning_datamodule]` writes the implementation from an ordinary `impl` block; it can also be written by
    /// hand. Source: Lightning's
    /// [`LightningDataModule`](https://lightning.ai/docs/pytorch/stable/data/datamodule.html).
    pub trait LightningDataModule: DataHooks {
        /// Called when a run ends by an error, before the error is returned.
        fn on_exception(&mut self, ctx: &mut Context<Outside>, exception: &Error) -> Result<()> {
            Ok(())
        }

        /// Returns what a checkpoint keeps of the data module; `Value::Null` where there is nothing to keep.
        fn state_dict(&mut self, ctx: &mut Context<Outside>) -> Result<Value> {
            Ok(Value::Null)
        }

        /// Takes back what `state_dict` returned, when a checkpoint was read that has it.
        fn load_state_dict(&mut self, ctx: &mut Context<Outside>, state_dict: &Value) -> Result<()> {
            Ok(())
        }
    }
}
