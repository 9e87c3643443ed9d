//! The declarations with one added hook, for tests within [`with_added`].

use super::TraitDeclaration;
use super::declarations::Declaration;
use std::cell::Cell;

thread_local! {
    static HAS_ADDED: Cell<bool> = const { Cell::new(false) };
}

declarations! {
    pub trait ModelHooks: Batched + StepOutputs {
        /// Called when the moon is full.
        #[callback]
        #[logs(step)]
        #[automatic("look at the moon in `training_step`")]
        fn on_full_moon(&mut self, ctx: &mut Context<Step>, batch: &Self::Batch, brightness: f64) -> Result<()> {
            Ok(())
        }
    }
}

/// Runs `look` with the hook of this file among those of `ModelHooks`.
pub(crate) fn with_added<T>(look: impl FnOnce() -> T) -> T {
    HAS_ADDED.set(true);
    let seen = look();
    HAS_ADDED.set(false);
    seen
}

/// The declared traits.
pub(super) fn declared() -> Vec<&'static TraitDeclaration> {
    let with = |declared| if HAS_ADDED.get() { extended(declared) } else { declared };
    super::DECLARED.into_iter().map(with).collect()
}

/// The trait with the methods of this file, if it is the one that this file adds to.
fn extended(declared: &'static TraitDeclaration) -> &'static TraitDeclaration {
    if declared.name != DECLARED.name {
        return declared;
    }
    let body = |source: &'static str| source.split_once('{').unwrap().1.rsplit_once('}').unwrap().0;
    let before = declared.source.rsplit_once('}').unwrap().0;
    let source = format!("{before} {} }}", body(DECLARED.source));
    let methods: Vec<Declaration> = declared.methods.iter().chain(DECLARED.methods).copied().collect();
    Box::leak(Box::new(TraitDeclaration { name: declared.name, source: source.leak(), methods: methods.leak() }))
}
