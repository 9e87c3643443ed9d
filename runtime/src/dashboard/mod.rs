//! A full screen about a run: curves, epochs, progress, where time goes and messages.
//!
//! [`DashboardState`] is what the screen shows, whatever its source, and [`draw`] draws it. [`Live`] shows the run of this process, which
//! passes its progress on as it goes; `watch` of a generated program shows that of another process, from the files in its folder.

mod capture;
mod chart;
mod curve;
mod draw;
mod keys;
mod layout;
mod live;
mod metrics;
mod panels;
mod screen;
mod state;
mod text;

pub(crate) use draw::panic_from_now_on;
pub(crate) use keys::Action;
pub(crate) use live::{Live, Plan};
pub(crate) use screen::{Screen, can_be_shown};
pub(crate) use state::{DashboardState, Mode};
pub(crate) use text::{left_behind, snapshot};
