//! The connection to the store of rank 0 or of a launcher, and what is found there instead.

use crate::native::Store;
use crate::strategy::within::within;
use crate::strategy::{StrategyError, UnreachableReason};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener, TcpStream, ToSocketAddrs};
use std::time::Duration;

/// The time to find out why a connection has failed.
const LOOK: Duration = Duration::from_millis(500);

/// Keeps the store of a run in this process.
pub(super) fn serve(port: u16, timeout: Duration) -> Result<Store, StrategyError> {
    Store::serve(port, timeout).map_err(|error| {
        let reason = match TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => "another program uses it".to_owned(),
            Err(error) => error.to_string(),
            Ok(_) => error.to_string(),
        };
        StrategyError::Listen { port, reason }
    })
}

/// Connects to the store of rank 0 or of a launcher. c10d waits without limit for the answer of a program that accepts the connection.
pub(super) fn connect(address: &str, port: u16, timeout: Duration) -> Result<Store, StrategyError> {
    let of_thread = address.to_owned();
    match within(timeout, move || Store::connect(&of_thread, port, timeout)) {
        Some(Ok(store)) => Ok(store),
        Some(Err(_)) | None => {
            let of_thread = address.to_owned();
            let reason = within(LOOK, move || found_at(&of_thread, port)).unwrap_or(UnreachableReason::NoAnswer);
            Err(StrategyError::Unreachable { address: address.to_owned(), port, reason })
        }
    }
}

/// Returns what is at an address that is not the store of a run.
fn found_at(address: &str, port: u16) -> UnreachableReason {
    let Ok(addresses) = (address, port).to_socket_addrs() else { return UnreachableReason::UnknownAddress };
    let mut found = UnreachableReason::NoAnswer;
    for address in addresses {
        match TcpStream::connect_timeout(&address, LOOK) {
            Ok(_) => return UnreachableReason::AnotherProgram,
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => found = UnreachableReason::Nobody,
            Err(_) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn failure(address: &str, port: u16) -> String {
        let begun = Instant::now();
        let error = connect(address, port, Duration::from_secs(1)).err().unwrap().to_string();
        assert!(begun.elapsed() < Duration::from_secs(3), "{error}");
        error
    }

    #[test]
    fn program_that_is_not_the_store_is_named_in_time() {
        // accepts connections, as the system does for a program that listens, and never answers
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = silent.local_addr().unwrap().port();
        assert_eq!(
            failure("127.0.0.1", port),
            format!(
                "rank 0 cannot be reached at 127.0.0.1:{port}: a program uses that port, but does not answer as rank 0: if it is \
                 another program, set MASTER_PORT to a free port, for all processes"
            )
        );
        let said = serve(port, Duration::from_secs(1)).err().unwrap().to_string();
        assert_eq!(
            said,
            format!(
                "rank 0 cannot wait for the others at port {port}: another program uses it: set MASTER_PORT to a free port, for all processes"
            )
        );
        drop(silent);
        assert_eq!(
            failure("127.0.0.1", port),
            format!(
                "rank 0 cannot be reached at 127.0.0.1:{port}: no process waits there: start rank 0, or set MASTER_ADDR and MASTER_PORT to \
                 where it is"
            )
        );
    }
}
