declarations! {
    /// What a module keeps in a checkpoint besides its parameters and the optimizers' state.
    ///
    /// Source: Lightning's
    /// [`CheckpointHooks`](https://lightning.ai/docs/pytorch/stable/common/lightning_module.html#on-save-checkpoint).
    pub trait CheckpointHooks: Sized + 'static {
        /// Called before a checkpoint is written: adds to it what the module wants to keep. After a batch that is
        /// between the callbacks' `on_train_batch_end` and the module's, as in Lightning, so that a module counts what
        /// it keeps in `training_step`.
        #[callback]
        fn on_save_checkpoint(&mut self, ctx: &mut Context<Outside>, checkpoint: &mut Checkpoint) -> Result<()> {
            Ok(())
        }

        /// Called when a checkpoint was read, before the parameters are taken from it.
        #[callback]
        fn on_load_checkpoint(&mut self, ctx: &mut Context<Outside>, checkpoint: &Checkpoint) -> Result<()> {
            Ok(())
        }
    }
}
