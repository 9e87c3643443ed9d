declarations! {
    /// Datasets and their loaders, separate from the model, so that several models can train on them.
    ///
    /// `#[lightning_datamodule]` writes the implementation from an ordinary `impl` block; it can also be written by
    /// hand. Source: Lightning's
    /// [`LightningDataModule`](https://lightning.ai/docs/pytorch/stable/data/datamodule.html).
    #[diagnostic::on_unimplemented(
        message = "`{Self}` is not a data module [TL0604]",
        label = "write `#[lightning_datamodule]` above the `impl` block of its loaders"
    )]
    pub trait LightningDataModule: DataHooks {
        /// Called when a run ends with an error, before the error is returned.
        fn on_exception(&mut self, ctx: &mut Context<Outside>, exception: &Error) -> Result<()> {
            Ok(())
        }

        /// Returns the state of the data module for a checkpoint; `Value::Null` for none, the default.
        fn state_dict(&mut self, ctx: &mut Context<Outside>) -> Result<Value> {
            Ok(Value::Null)
        }

        /// Restores the state that `state_dict` returned, from a checkpoint that has it.
        fn load_state_dict(&mut self, ctx: &mut Context<Outside>, state_dict: &Value) -> Result<()> {
            Ok(())
        }
    }
}
