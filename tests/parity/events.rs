use super::case::Raise;
use std::cell::RefCell;
use std::rc::Rc;
use tch_lightning::RunContext;
use tch_lightning::prelude::*;

/// The events of a run so far: `hook stage=… batch_idx=… dataloader_idx=… @epoch:step`.
#[derive(Clone, Default)]
pub(super) struct Events(Rc<RefCell<Vec<String>>>);

/// What an event shows of a hook's parameters.
#[derive(Clone, Copy, Default)]
pub(super) struct Shown {
    pub(super) stage: Option<Stage>,
    pub(super) batch_idx: Option<usize>,
    pub(super) dataloader_idx: Option<usize>,
}

impl Events {
    pub(super) fn note(&self, hook: &str, ctx: &RunContext, shown: Shown) {
        let mut event = hook.to_owned();
        if let Some(stage) = shown.stage {
            event += &format!(" stage={stage}");
        }
        if let Some(batch_idx) = shown.batch_idx {
            event += &format!(" batch_idx={batch_idx}");
        }
        if let Some(dataloader_idx) = shown.dataloader_idx {
            event += &format!(" dataloader_idx={dataloader_idx}");
        }
        event += &format!(" @{}:{}", ctx.current_epoch(), ctx.global_step());
        self.0.borrow_mut().push(event);
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

/// Fails where the case wants the hook to.
pub(super) fn raise(wanted: Option<&Raise>, hook: &str, ctx: &RunContext, shown: Shown) -> Result<()> {
    let is_here =
        |raise: &&Raise| raise.hook == hook && raise.epoch == ctx.current_epoch() && raise.batch_idx == shown.batch_idx;
    match wanted.filter(is_here) {
        Some(_) => bail!("raised on purpose"),
        None => Ok(()),
    }
}
