//! The order of all hooks, for the book.

use super::{Plan, Planner};
use crate::config::TrainerConfig;
use crate::hook::Hook;
use crate::stage::Stage;

/// Returns the plan of a resumed run of the default configuration, of which a module, a data module and a callback override each hook.
pub(crate) fn plan_of_every_hook(stage: Stage) -> Plan {
    let config = TrainerConfig { max_epochs: Some(-1), ..TrainerConfig::default() };
    let hooks: Vec<Hook> = Hook::ALL.iter().copied().filter(|hook| !hook.is_older_name()).collect();
    let mut planner = Planner {
        config: &config,
        is_resumed: true,
        has_chosen_optimizer: false,
        is_automatic: true,
        module: "module".to_owned(),
        of_module: hooks.clone(),
        data: "data module".to_owned(),
        of_data: hooks,
        callbacks: vec![("callback", false)],
        depth: 0,
        lines: Vec::new(),
    };
    planner.run(stage);
    Plan { stage, callbacks: vec!["callback"], lines: planner.lines }
}
