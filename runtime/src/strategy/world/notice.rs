//! Lines about waiting for other processes.

use crate::counted::counted;
use crate::messages::info;
use crate::strategy::introduction::Introduction;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// The time of waiting after which a process says what it waits for.
const A_WHILE: Duration = Duration::from_secs(3);

/// A line that is printed unless this value is dropped before.
pub(super) struct Notice {
    _dropped: Sender<()>,
}

impl Notice {
    pub(super) fn after_a_while(line: impl FnOnce() -> String + Send + 'static) -> Self {
        let (dropped, is_dropped) = channel();
        thread::spawn(move || {
            if is_dropped.recv_timeout(A_WHILE) == Err(RecvTimeoutError::Timeout) {
                info!("{}", line());
            }
        });
        Self { _dropped: dropped }
    }
}

/// Returns the line at the start of a run: the number of processes, and their machines.
pub(super) fn of_start(introductions: &[Introduction]) -> String {
    let mut hosts: Vec<(&str, usize, usize)> = Vec::new();
    for (rank, introduction) in introductions.iter().enumerate() {
        match hosts.last_mut() {
            Some((host, _, last)) if *host == introduction.host => *last = rank,
            _ => hosts.push((&introduction.host, rank, rank)),
        }
    }
    let on_hosts = hosts.iter().map(|(host, first, last)| match last - first {
        0 => format!("rank {first} on {host}"),
        1 => format!("ranks {first} and {last} on {host}"),
        _ => format!("ranks {first} to {last} on {host}"),
    });
    format!("{}: {}", counted(introductions.len(), "process"), on_hosts.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn start_names_the_machine_of_each_rank() {
        let on = |host: &str| Introduction {
            host: host.to_owned(),
            process: 1,
            cores: String::new(),
            world_size: 6,
            program: String::new(),
            verb: String::new(),
            configuration: Value::Null,
        };
        assert_eq!(of_start(&["a", "a"].map(on)), "2 processes: ranks 0 and 1 on a");
        assert_eq!(
            of_start(&["a", "a", "a", "b", "c", "c"].map(on)),
            "6 processes: ranks 0 to 2 on a, rank 3 on b, ranks 4 and 5 on c"
        );
    }
}
