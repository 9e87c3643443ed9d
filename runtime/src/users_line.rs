//! Finds the line of the user's program that a panic or an error came from. libtorch's exceptions are panics in tch's files, so that the
//! panic's own location does not help.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::path::Path;

/// Returns the folder of this crate's sources, as the compiler writes it in panics.
fn own_folder() -> &'static str {
    file!().trim_end_matches("users_line.rs")
}

/// Crates whose functions are not the user's, for backtraces without file names.
const CRATES: [&str; 9] =
    ["std", "core", "alloc", "tch", "torch_sys", "tch_lightning", "anyhow", "__rustc", "rust_begin_unwind"];

/// Parts of the paths of dependencies and of the standard library.
const FOLDERS: [&str; 4] = ["/registry/src/", "/git/checkouts/", "/rustc/", "/rustlib/"];

/// Returns whether a file is not the user's.
pub(crate) fn is_foreign(file: &str) -> bool {
    let file = absolute(file).replace('\\', "/");
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/src/").replace('\\', "/");
    let of_dependency = FOLDERS.iter().any(|folder| file.contains(folder));
    let is_rust = file.split(':').next().is_some_and(|file| file.ends_with(".rs")) || file.contains(".rs:");
    of_dependency || !is_rust || file.starts_with(own_folder()) || file.starts_with(&own)
}

/// Returns the path as it was before std's backtraces made it relative to the current folder, which they mark by `./`.
fn absolute(file: &str) -> String {
    let here = || std::env::current_dir().unwrap_or_default();
    file.strip_prefix("./").map_or_else(|| file.to_owned(), |relative| here().join(relative).display().to_string())
}

/// Returns the innermost line of the user's code in a backtrace, `src/model.rs:42:9`, or its function if the program has no debug
/// information. Returns `None` if no backtrace was captured.
pub(crate) fn of(backtrace: &Backtrace) -> Option<String> {
    if backtrace.status() != BacktraceStatus::Captured {
        return None;
    }
    first_of(&backtrace.to_string())
}

/// Returns the first frame of the user's own code: its line, or the function if no such frame has one.
fn first_of(backtrace: &str) -> Option<String> {
    let mut named = None;
    for frame in users_frames(backtrace) {
        match frame.location {
            Some(location) => return Some(shortened(location)),
            None => named = named.or(Some(frame.function)),
        }
    }
    named.map(|function| format!("`{function}`"))
}

/// Returns the frames of the user's own code in a backtrace, one per line, from the innermost on; `None` if there are none.
pub(crate) fn frames(backtrace: &str) -> Option<String> {
    let text = |frame: Frame<'_>| match frame.location {
        Some(location) => format!("  {} at {}", frame.function, shortened(location)),
        None => format!("  {}", frame.function),
    };
    let frames: Vec<String> = users_frames(backtrace).map(text).collect();
    (!frames.is_empty()).then(|| frames.join("\n"))
}

/// A frame of a backtrace.
struct Frame<'a> {
    function: &'a str,
    /// The file, the line and the column; `None` without debug information.
    location: Option<&'a str>,
}

impl Frame<'_> {
    fn is_users(&self) -> bool {
        let is_foreign = is_in_foreign_crate(self.function);
        match self.location {
            Some(location) => !is_foreign && !self::is_foreign(location),
            // a name without a path is that of a C function
            None => !is_foreign && self.function.contains("::"),
        }
    }
}

/// Returns the frames of the user's own code. std has no other access to the frames than their text: a line with the number and the
/// function, and one with `at`, the file, the line and the column where they are known.
fn users_frames(backtrace: &str) -> impl Iterator<Item = Frame<'_>> {
    let mut lines = backtrace.lines().map(str::trim_start).peekable();
    let frames = std::iter::from_fn(move || {
        let function = lines.next()?.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(": ");
        let location = lines.next_if(|line| line.starts_with("at ")).map(|line| &line[3..]);
        Some(Frame { function, location })
    });
    frames.filter(Frame::is_users)
}

/// Returns whether a function's path begins with a crate that is not the user's. Names of inlined functions may have no crate.
fn is_in_foreign_crate(function: &str) -> bool {
    let path = function.trim_start_matches(['<', '&', '*', '(']);
    let first = path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    path.contains("::") && CRATES.contains(&first)
}

/// Returns the path, relative to the current folder if the file is in it.
fn shortened(path: &str) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let path = Path::new(path);
    let path = path.strip_prefix(&here).unwrap_or(path);
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_line_of_the_users_own_is_found() {
        let debug = "   0: std::backtrace_rs::backtrace::libunwind::trace
             at /rustc/598/library/std/src/../../backtrace/src/backtrace/libunwind.rs:117:9
   1: core::result::unwrap_failed
             at /rustc/598/library/core/src/result.rs:1855:5
   2: tch::wrappers::tensor_generated::<impl tch::wrappers::tensor::Tensor>::matmul
             at /home/ada/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/tch-0.26.0/src/wrappers/tensor_fallible_generated.rs:9:40
   3: net::model::Net::forward
             at ./net/model.rs:42:17
   4: <net::model::Net as tch_lightning::module::LightningModule>::training_step
             at ./net/model.rs:30:8
   5: tch_lightning::panic::catch
             at /home/ada/tch-lightning/runtime/src/panic.rs:20:4";
        assert_eq!(first_of(debug).as_deref(), Some("net/model.rs:42:17"));
        let own = "  net::model::Net::forward at net/model.rs:42:17\n  \
                   <net::model::Net as tch_lightning::module::LightningModule>::training_step at net/model.rs:30:8";
        assert_eq!(frames(debug).as_deref(), Some(own));
    }

    #[test]
    fn inlined_functions_without_a_crate_are_found() {
        let line_tables_only = "   8: core::result::unwrap_failed
             at /rustc/598/library/core/src/result.rs:1867:5
  10: matmul
             at /home/ada/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/tch-0.26.0/src/wrappers/tensor_generated.rs:12575:30
  11: step
             at /home/ada/net/src/model.rs:104:37
  12: training_step
             at /home/ada/net/src/model.rs:56:25";
        assert_eq!(first_of(line_tables_only).as_deref(), Some("/home/ada/net/src/model.rs:104:37"));
    }

    #[test]
    fn function_is_named_without_debug_information() {
        let release = "   0: std::backtrace_rs::backtrace::libunwind::trace
   1: core::result::unwrap_failed
   2: tch::wrappers::tensor_generated::<impl tch::wrappers::tensor::Tensor>::matmul
   3: <net::model::Net as net::Forward>::forward
   4: tch_lightning::panic::catch
   5: main
   6: __libc_start_main";
        assert_eq!(first_of(release).as_deref(), Some("`<net::model::Net as net::Forward>::forward`"));
        assert_eq!(first_of("   0: std::panicking::begin_panic\n   1: main"), None);
    }

    #[test]
    fn files_of_dependencies_are_not_the_users() {
        assert!(is_foreign(file!()) && is_foreign("/rustc/598/library/core/src/option.rs"));
        assert!(is_foreign("/home/ada/.cargo/registry/src/index.crates.io-19/tch-0.26.0/src/nn/linear.rs"));
        assert!(is_foreign("nptl/pthread_create.c:442:8"));
        assert!(
            !is_foreign("/home/ada/library/src/model.rs:1:1")
                && !is_foreign("src/main.rs:3:5")
                && !is_foreign("/home/ada/net/src/model.rs")
        );
    }
}
