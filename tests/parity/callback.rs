use super::events::{Events, Shown};
use tch_lightning::prelude::*;

/// Notes every hook that callbacks have.
pub(super) struct Watch {
    pub(super) events: Events,
}

#[lightning_callback]
impl Watch {
    fn setup(&self, ctx: &mut Context, stage: Stage) {
        self.events.note("callback.setup", ctx, Shown { stage: Some(stage), ..Shown::default() });
    }

    fn teardown(&self, ctx: &mut Context, stage: Stage) {
        self.events.note("callback.teardown", ctx, Shown { stage: Some(stage), ..Shown::default() });
    }

    fn on_fit_start(&self, ctx: &mut Context) {
        self.events.note("callback.on_fit_start", ctx, Shown::default());
    }

    fn on_fit_end(&self, ctx: &mut Context) {
        self.events.note("callback.on_fit_end", ctx, Shown::default());
    }

    fn on_sanity_check_start(&self, ctx: &mut Context) {
        self.events.note("callback.on_sanity_check_start", ctx, Shown::default());
    }

    fn on_sanity_check_end(&self, ctx: &mut Context) {
        self.events.note("callback.on_sanity_check_end", ctx, Shown::default());
    }

    fn on_train_start(&self, ctx: &mut Context) {
        self.events.note("callback.on_train_start", ctx, Shown::default());
    }

    fn on_train_end(&self, ctx: &mut Context) {
        self.events.note("callback.on_train_end", ctx, Shown::default());
    }

    fn on_train_epoch_start(&self, ctx: &mut Context) {
        self.events.note("callback.on_train_epoch_start", ctx, Shown::default());
    }

    fn on_train_epoch_end(&self, ctx: &mut Context) {
        self.events.note("callback.on_train_epoch_end", ctx, Shown::default());
    }

    fn on_validation_start(&self, ctx: &mut Context) {
        self.events.note("callback.on_validation_start", ctx, Shown::default());
    }

    fn on_validation_end(&self, ctx: &mut Context) {
        self.events.note("callback.on_validation_end", ctx, Shown::default());
    }

    fn on_validation_epoch_start(&self, ctx: &mut Context) {
        self.events.note("callback.on_validation_epoch_start", ctx, Shown::default());
    }

    fn on_validation_epoch_end(&self, ctx: &mut Context) {
        self.events.note("callback.on_validation_epoch_end", ctx, Shown::default());
    }

    fn on_test_start(&self, ctx: &mut Context) {
        self.events.note("callback.on_test_start", ctx, Shown::default());
    }

    fn on_test_end(&self, ctx: &mut Context) {
        self.events.note("callback.on_test_end", ctx, Shown::default());
    }

    fn on_test_epoch_start(&self, ctx: &mut Context) {
        self.events.note("callback.on_test_epoch_start", ctx, Shown::default());
    }

    fn on_test_epoch_end(&self, ctx: &mut Context) {
        self.events.note("callback.on_test_epoch_end", ctx, Shown::default());
    }

    fn on_predict_start(&self, ctx: &mut Context) {
        self.events.note("callback.on_predict_start", ctx, Shown::default());
    }

    fn on_predict_end(&self, ctx: &mut Context) {
        self.events.note("callback.on_predict_end", ctx, Shown::default());
    }

    fn on_predict_epoch_start(&self, ctx: &mut Context) {
        self.events.note("callback.on_predict_epoch_start", ctx, Shown::default());
    }

    fn on_predict_epoch_end(&self, ctx: &mut Context) {
        self.events.note("callback.on_predict_epoch_end", ctx, Shown::default());
    }

    fn on_exception(&self, ctx: &mut Context) {
        self.events.note("callback.on_exception", ctx, Shown::default());
    }

    fn on_save_checkpoint(&self, ctx: &mut Context) {
        self.events.note("callback.on_save_checkpoint", ctx, Shown::default());
    }

    fn on_load_checkpoint(&self, ctx: &mut Context) {
        self.events.note("callback.on_load_checkpoint", ctx, Shown::default());
    }

    fn on_before_backward(&self, ctx: &mut Context) {
        self.events.note("callback.on_before_backward", ctx, Shown::default());
    }

    fn on_after_backward(&self, ctx: &mut Context) {
        self.events.note("callback.on_after_backward", ctx, Shown::default());
    }

    fn on_before_optimizer_step(&self, ctx: &mut Context) {
        self.events.note("callback.on_before_optimizer_step", ctx, Shown::default());
    }

    fn on_before_zero_grad(&self, ctx: &mut Context) {
        self.events.note("callback.on_before_zero_grad", ctx, Shown::default());
    }

    fn on_train_batch_start(&self, ctx: &mut Context, batch_idx: usize) {
        self.events.note(
            "callback.on_train_batch_start",
            ctx,
            Shown { batch_idx: Some(batch_idx), ..Shown::default() },
        );
    }

    fn on_train_batch_end(&self, ctx: &mut Context, batch_idx: usize) {
        self.events.note("callback.on_train_batch_end", ctx, Shown { batch_idx: Some(batch_idx), ..Shown::default() });
    }

    fn on_validation_batch_start(&self, ctx: &mut Context, batch_idx: usize, dataloader_idx: usize) {
        self.events.note(
            "callback.on_validation_batch_start",
            ctx,
            Shown { batch_idx: Some(batch_idx), dataloader_idx: Some(dataloader_idx), ..Shown::default() },
        );
    }

    fn on_validation_batch_end(&self, ctx: &mut Context, batch_idx: usize, dataloader_idx: usize) {
        self.events.note(
            "callback.on_validation_batch_end",
            ctx,
            Shown { batch_idx: Some(batch_idx), dataloader_idx: Some(dataloader_idx), ..Shown::default() },
        );
    }

    fn on_test_batch_start(&self, ctx: &mut Context, batch_idx: usize, dataloader_idx: usize) {
        self.events.note(
            "callback.on_test_batch_start",
            ctx,
            Shown { batch_idx: Some(batch_idx), dataloader_idx: Some(dataloader_idx), ..Shown::default() },
        );
    }

    fn on_test_batch_end(&self, ctx: &mut Context, batch_idx: usize, dataloader_idx: usize) {
        self.events.note(
            "callback.on_test_batch_end",
            ctx,
            Shown { batch_idx: Some(batch_idx), dataloader_idx: Some(dataloader_idx), ..Shown::default() },
        );
    }

    fn on_predict_batch_start(&self, ctx: &mut Context, batch_idx: usize, dataloader_idx: usize) {
        self.events.note(
            "callback.on_predict_batch_start",
            ctx,
            Shown { batch_idx: Some(batch_idx), dataloader_idx: Some(dataloader_idx), ..Shown::default() },
        );
    }

    fn on_predict_batch_end(&self, ctx: &mut Context, batch_idx: usize, dataloader_idx: usize) {
        self.events.note(
            "callback.on_predict_batch_end",
            ctx,
            Shown { batch_idx: Some(batch_idx), dataloader_idx: Some(dataloader_idx), ..Shown::default() },
        );
    }
}
