declarations! {
    /// A component of the trainer that acts at the hooks of a run: it saves checkpoints, measures, logs, or stops the run.
    ///
    /// Every method has a default. A callback's hook runs before the module's hook of the same name.
    /// `#[lightning_callback]` generates the implementation from an ordinary `impl` block; you can also write it by
    /// hand. Source: Lightning's
    /// [`Callback`](https://lightning.ai/docs/pytorch/stable/extensions/callbacks.html#callback-api).
    #[diagnostic::on_unimplemented(
        message = "`{Self}` is not a callback for `{M}` [TL0606]",
        label = "write `#[lightning_callback]` above the `impl` block of its hooks, which must fit this module",
        note = "a trainer owns its callbacks: it takes `watch`, not `&mut watch`, and `trainer.find_callback::<Watch>()` lends it after the run"
    )]
    pub trait Callback<M: LightningModule>: Any {
        /// Returns the name of the callback in errors; by default, that of its type.
        fn name(&self) -> &'static str {
            std::any::type_name::<Self>()
        }

        /// Returns the key of the callback's state in a checkpoint; by default, its name. The
        /// [`instance_key`](Self::instance_key) distinguishes two callbacks with the same key.
        fn state_key(&self) -> String {
            self.name().to_owned()
        }

        /// Returns what distinguishes this callback from others with the same [`state_key`](Self::state_key), such as
        /// the folder that it writes to. It is appended to the key if a run has several such callbacks. `fit` fails if
        /// two callbacks with a state have the same key. Default empty.
        fn instance_key(&self) -> String {
            String::new()
        }

        /// Returns whether the callback reads logged values: its `on_train_epoch_end` then runs after the module's, which
        /// may log there. Default false.
        fn is_monitoring(&self) -> bool {
            false
        }

        /// Returns whether the callback writes checkpoints: its hooks then run after those of the other callbacks, whose
        /// state it saves. Default false.
        fn writes_checkpoints(&self) -> bool {
            false
        }

        /// Returns whether `on_save_checkpoint` of the callback is called when the file is written. A checkpoint that a hook
        /// requests is written at the next point from which a run can be resumed. By default `on_save_checkpoint` is
        /// called when the checkpoint is requested, as in Lightning, and `state_dict` when it is written. A callback that
        /// saves tensors together with its `state_dict` returns true, so that both have the same values. Default false.
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

        /// Returns the state of the callback for a checkpoint; `Value::Null` for none, the default.
        fn state_dict(&mut self, ctx: &mut Context<Outside>) -> Result<Value> {
            Ok(Value::Null)
        }

        /// Restores the state that `state_dict` returned, from a checkpoint that has it.
        fn load_state_dict(&mut self, ctx: &mut Context<Outside>, state_dict: &Value) -> Result<()> {
            Ok(())
        }
    }
}
