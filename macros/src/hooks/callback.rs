declarations! {
    /// Something that a run does besides training: it watches a module, writes, measures or stops.
    ///
    /// Every method has a default. A callback's hook runs before the module's hook of the same name; those that both
    /// have are described with the module's. `#[lightning_callback]` writes the implementation from an ordinary `impl`
    /// block; it can also be written by hand. Source: Lightning's
    /// [`Callback`](https://lightning.ai/docs/pytorch/stable/extensions/callbacks.html#callback-api).
    #[diagnostic::on_unimplemented(
        message = "`{Self}` is no callback for `{M}` [TL0606]",
        label = "write `#[lightning_callback]` above the `impl` block of its hooks, which watch this module"
    )]
    pub trait Callback<M: LightningModule>: Any {
        /// The name under which the callback is spoken of in errors.
        fn name(&self) -> &'static str {
            std::any::type_name::<Self>()
        }

        /// The key under which a checkpoint keeps the callback's state. Of two callbacks with one key, an
        /// [`instance_key`](Self::instance_key) tells the states apart.
        fn state_key(&self) -> String {
            self.name().to_owned()
        }

        /// What tells this callback from others with the same [`state_key`](Self::state_key), such as the folder it
        /// writes to. Where a run has several such callbacks, it is added to the key. `fit` fails where two callbacks
        /// with a state cannot be told apart. Default empty.
        fn instance_key(&self) -> String {
            String::new()
        }

        /// Whether the callback looks at what was logged: its `on_train_epoch_end` then runs after the module's, which
        /// may log there.
        fn is_monitoring(&self) -> bool {
            false
        }

        /// Whether the callback writes checkpoints: its hooks then run after those of the others, whose state it saves.
        fn writes_checkpoints(&self) -> bool {
            false
        }

        /// Whether `on_save_checkpoint` of the callback is called when the file is written. A checkpoint that a hook asks for is
        /// written at the next place from which a run can be resumed. `on_save_checkpoint` is called when the checkpoint is
        /// asked for, as in Lightning, and `state_dict` when it is written: a callback that saves tensors with its
        /// `state_dict` returns true here, so that both are of one moment. Default false.
        fn saves_when_written(&self) -> bool {
            false
        }

        /// Called when the sanity check of the validation loop begins.
        fn on_sanity_check_start(&mut self, ctx: &mut Context<Outside>, module: &mut M) -> Result<()> {
            Ok(())
        }

        /// Called when the sanity check of the validation loop ends.
        fn on_sanity_check_end(&mut self, ctx: &mut Context<Outside>, module: &mut M) -> Result<()> {
            Ok(())
        }

        /// Returns what a checkpoint keeps of the callback; `Value::Null` where there is nothing to keep.
        fn state_dict(&mut self, ctx: &mut Context<Outside>) -> Result<Value> {
            Ok(Value::Null)
        }

        /// Takes back what `state_dict` returned, when a checkpoint was read that has it.
        fn load_state_dict(&mut self, ctx: &mut Context<Outside>, state_dict: &Value) -> Result<()> {
            Ok(())
        }
    }
}
