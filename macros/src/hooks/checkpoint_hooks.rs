declarations! {
    /// The hooks that save a module's own state in checkpoints, in addition to its parameters and the optimizers' state.
    ///
    /// Source: Lightning's
    /// [`CheckpointHooks`](https://lightning.ai/docs/pytorch/stable/common/lightning_module.html#on-save-checkpoint).
    pub trait CheckpointHooks: Sized + 'static {
        /// Called before a checkpoint is written, to add values to it. After a batch, that is between the callbacks'
        /// `on_train_batch_end` and the module's, as in Lightning: update the values that you save in `training_step`.
        #[callback]
        fn on_save_checkpoint(&mut self, ctx: &mut Context<Outside>, checkpoint: &mut Checkpoint) -> Result<()> {
            Ok(())
        }

        /// Called after a checkpoint has been read, before its parameters are loaded.
        #[callback]
        fn on_load_checkpoint(&mut self, ctx: &mut Context<Outside>, checkpoint: &Checkpoint) -> Result<()> {
            Ok(())
        }
    }
}
