/// Something that a run does besides training: it watches a module, writes, measures or stops.
///
/// Every method has a default. A callback's hook runs before the module's hook of the same name; those that both have are
/// described with the module's. `#[lightning_callback]` writes the implementation from an ordinary `impl` block; it can also
/// be written by hand. Source: Lightning's
/// [`Callback`](https://lightning.ai/docs/pytorch/stable/extensions/callbacks.html#callback-api).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no callback for `{M}` [TL0606]",
    label = "write `#[lightning_callback]` above the `impl` block of its hooks, which watch this module"
)]
pub trait Callback<M: LightningModule> {
    /// The name under which the callback is spoken of in errors, and its state kept in checkpoints (`state_key` in
    /// Lightning). Two callbacks of one type need two names to be kept both.
    fn name(&self) -> &'static str {
        std::any::type_name::<Self>()
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
