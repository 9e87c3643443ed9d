//! The end of the process by a message of clap: wrong flags, or `--help`.

use crate::error_chain::in_one_line;
use crate::terminal;
use anyhow::Context as _;

/// Prints clap's message, and ends the process with its code: 2 for wrong flags, 0 for `--help`, unless that cannot be written. clap's own
/// `exit` ignores such errors.
pub(super) fn exit(message: &clap::Error) -> ! {
    let printed = if message.use_stderr() {
        // there is nowhere to report an error of stderr
        let _ = message.print();
        Ok(())
    } else {
        terminal::print_with(|| message.print()).context(terminal::NOT_PRINTED)
    };
    std::process::exit(match printed {
        Ok(()) => message.exit_code(),
        Err(error) => {
            terminal::say(format_args!("error: {}", in_one_line(&error)));
            1
        }
    })
}
