use std::any::Any;

/// What the context has for a while, and whose type depends on the module's, which the context does not name: the
/// callbacks, while a step may call their hooks through it, and the predictions, while hooks may look at them.
#[derive(Default)]
pub(crate) struct Lent(Option<Box<dyn Any>>);

impl Lent {
    pub(crate) fn lend<T: 'static>(&mut self, value: T) {
        self.0 = Some(Box::new(value));
    }

    /// What was lent, if it was of this type.
    pub(crate) fn take_back<T: 'static>(&mut self) -> Option<T> {
        let value = self.0.take()?.downcast().ok()?;
        Some(*value)
    }
}
