//! Requests of an observer, such as keys in the dashboard, which are followed between two batches.

use crate::checkpoint::SaveRequest;
use crate::error::Error;
use crate::messages;
use crate::module::{LightningModule, Run};
use crate::observer::Request;

/// Saves the requested checkpoint, and ends the run if that is requested.
#[cold]
pub(super) fn follow<M: LightningModule>(run: &mut Run<'_, M>) -> Result<(), Error> {
    let stops = run.ctx.takes_request(Request::Stop);
    if run.ctx.takes_request(Request::Checkpoint) || stops {
        let path = run.ctx.requested_checkpoint()?;
        run.ctx.save_checkpoint(SaveRequest::new(&path));
        run.save_what_was_asked_for()?;
        if !stops {
            messages::info!("saved {}", path.display());
        }
    }
    if stops { Err(run.ctx.stopped_by_request().into()) } else { Ok(()) }
}
