//! The file descriptors that libtorch opens for its connections.

use std::collections::BTreeSet;
use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;

/// The descriptors that are open at a moment.
pub(crate) struct Descriptors(BTreeSet<RawFd>);

impl Descriptors {
    /// Returns those of this process. Without a list of them, as on some systems, there are none.
    pub(crate) fn now() -> Self {
        let entries = fs::read_dir("/dev/fd").into_iter().flatten();
        Self(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect())
    }

    /// Closes those that were opened since in each program that this process starts. Gloo leaves its connections to them, by which the other
    /// ranks would not see that this process has ended before its children have.
    pub(crate) fn close_later_ones_on_exec(&self) {
        for descriptor in Self::now().0.difference(&self.0) {
            // SAFETY: the calls read and set a flag of a number, which is of no descriptor if it was closed meanwhile.
            unsafe {
                let flags = libc::fcntl(*descriptor, libc::F_GETFD);
                if flags >= 0 {
                    libc::fcntl(*descriptor, libc::F_SETFD, flags | libc::FD_CLOEXEC);
                }
            }
        }
    }
}

/// Connections to other processes, each with its inode number, by which it differs from what has its descriptor later.
pub(crate) struct Sockets(Vec<(RawFd, libc::ino_t)>);

impl Sockets {
    /// Returns those among the descriptors that were opened since.
    pub(crate) fn opened_since(before: &Descriptors) -> Self {
        let later = Descriptors::now();
        Self(later.0.difference(&before.0).filter_map(|one| Some((*one, socket(*one)?))).collect())
    }

    /// Ends the connections, so that what waits for the other processes fails at once.
    pub(crate) fn shut_down(&self) {
        for (descriptor, number) in &self.0 {
            if socket(*descriptor) == Some(*number) {
                // SAFETY: the call takes a number, which was just that of this socket.
                unsafe { libc::shutdown(*descriptor, libc::SHUT_RDWR) };
            }
        }
    }
}

/// The number of a connected socket; `None` for a descriptor of something else, or of nothing.
fn socket(descriptor: RawFd) -> Option<libc::ino_t> {
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the call fills the value, which is read if it has succeeded.
    let status = unsafe { (libc::fstat(descriptor, status.as_mut_ptr()) == 0).then(|| status.assume_init()) }?;
    if status.st_mode & libc::S_IFMT != libc::S_IFSOCK {
        return None;
    }
    let mut other = MaybeUninit::<libc::sockaddr_storage>::uninit();
    let mut length = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    // SAFETY: the call writes at most `length` bytes of the address, which is not read.
    let is_connected = unsafe { libc::getpeername(descriptor, other.as_mut_ptr().cast(), &raw mut length) == 0 };
    // Gloo ends the process if a socket that listens is shut down
    is_connected.then_some(status.st_ino)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;

    #[test]
    fn later_descriptors_are_closed_on_exec() {
        let is_closed = |descriptor: RawFd| {
            // SAFETY: reads a flag.
            unsafe { libc::fcntl(descriptor, libc::F_GETFD) & libc::FD_CLOEXEC != 0 }
        };
        let [before, after] = [(), ()].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        // SAFETY: sets a flag of an open descriptor.
        unsafe { libc::fcntl(before.as_raw_fd(), libc::F_SETFD, 0) };
        let descriptors =
            Descriptors(Descriptors::now().0.into_iter().filter(|one| *one != after.as_raw_fd()).collect());
        // SAFETY: as above.
        unsafe { libc::fcntl(after.as_raw_fd(), libc::F_SETFD, 0) };
        descriptors.close_later_ones_on_exec();
        assert!(is_closed(after.as_raw_fd()) && !is_closed(before.as_raw_fd()));
    }

    #[test]
    fn connection_that_is_shut_down_wakes_what_waits_for_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut own = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (_other, _) = listener.accept().unwrap();
        let sockets = Sockets(vec![(own.as_raw_fd(), socket(own.as_raw_fd()).unwrap())]);
        let waiting = std::thread::spawn(move || own.read(&mut [0; 8]).unwrap());
        sockets.shut_down();
        assert_eq!(waiting.join().unwrap(), 0);
    }
}
