//! The messages of the compiler: each file in `fail/` has mistakes, and the `.stderr` next to it is the compiler's output.
//! The programs in `pass/` have none; `tests/forms.rs` compiles them.
//!
//! When a message has changed on purpose, `TRYBUILD=overwrite cargo test -p ui` writes it down; read what
//! it wrote. `cargo test -p ui -- ui trybuild=name` runs the cases whose paths contain `name`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The compiler in whose words the `.stderr` files are. Another one may say the same otherwise.
const RUSTC: &str = "rustc 1.95.0";

#[test]
fn ui() {
    let rustc = version();
    if rustc.starts_with(RUSTC) {
        leave_libtorch_out();
        trybuild::TestCases::new().compile_fail("fail/*.rs");
        return;
    }
    println!(
        "the messages are those of {RUSTC}, and this is {rustc}: only the sentences of tch-lightning are compared"
    );
    let cases = files(Path::new("fail"), "rs").into_iter().map(|path| (stem(&path), fs::read_to_string(path).unwrap()));
    for (case, said) in answers(cases.collect()) {
        let expected = fs::read_to_string(format!("fail/{case}.stderr")).unwrap();
        assert_eq!(sentences(&said), sentences(&expected), "{case}");
    }
}

/// The example on each page of `tch_lightning::errors` makes that mistake alone, and the sentence on the page is said to it.
#[test]
fn pages() {
    let pages = files(Path::new("../../runtime/src/errors"), "md").into_iter();
    let pages: Vec<(String, String)> = pages.map(|path| (stem(&path), fs::read_to_string(path).unwrap())).collect();
    let answers = answers(pages.iter().map(|(code, page)| (code.clone(), program(page))).collect());
    for ((code, page), (_, said)) in pages.iter().zip(answers) {
        let expected = block(page, "text");
        // what stands on the page, as in every example of the documentation, is put into a `main`
        let sentences = sentences(&said.replace("main::", ""));
        assert!(sentences.iter().any(|sentence| sentence == expected.trim_end()), "{code} is said to be\n{said}");
        assert!(
            sentences.iter().all(|sentence| sentence.ends_with(&format!("[{code}]"))),
            "{code} brings more:\n{said}"
        );
        assert_eq!(sentences.len(), errors(&said), "{code} brings more:\n{said}");
    }
}

/// The wrong example of a page as a program.
fn program(page: &str) -> String {
    // ignored where the mistake is not one in the compiler's own tests of documentation, which have no file of the program
    let lines = block(&page.replace("compile_fail,ignore", "compile_fail"), "rust,compile_fail");
    let lines = lines
        .lines()
        .map(|line| line.strip_prefix("# ").or(line.strip_prefix("#").filter(|rest| rest.is_empty())).unwrap_or(line));
    format!("fn main() {{\n{}\n}}\n", lines.collect::<Vec<_>>().join("\n"))
}

/// The first block of this language in a page.
fn block(page: &str, language: &str) -> String {
    let start = format!("```{language}\n");
    let (_, rest) = page.split_once(&start).unwrap_or_else(|| panic!("a page without {language}:\n{page}"));
    rest.split_once("```").unwrap().0.to_owned()
}

/// Our sentences in what the compiler says, each with its code.
fn sentences(said: &str) -> Vec<String> {
    let first_lines = said.lines().filter(|line| line.starts_with("error") && line.contains(" [TL"));
    first_lines.map(|line| line.split_once(": ").unwrap().1.to_owned()).collect()
}

fn errors(said: &str) -> usize {
    said.lines().filter(|line| line.starts_with("error")).count()
}

/// What the compiler says to each of these programs. trybuild writes it down where it is told to overwrite; so this test
/// calls itself, with [`snapshot_messages`] alone.
fn answers(programs: Vec<(String, String)>) -> Vec<(String, String)> {
    leave_libtorch_out();
    let folder = tempfile::tempdir().unwrap();
    for (name, program) in &programs {
        fs::write(folder.path().join(name).with_extension("rs"), program).unwrap();
    }
    output(
        Command::new(env::current_exe().unwrap())
            .args(["--ignored", "--exact", "snapshot_messages"])
            .env("TRYBUILD", "overwrite")
            .env(PROGRAMS, folder.path()),
    );
    let answer = |name: &str| fs::read_to_string(folder.path().join(name).with_extension("stderr")).unwrap();
    programs.into_iter().map(|(name, _)| (name.clone(), answer(&name))).collect()
}

const PROGRAMS: &str = "TCH_LIGHTNING_UI_PROGRAMS";

#[test]
#[ignore = "the other tests call it"]
fn snapshot_messages() {
    if let Some(folder) = env::var_os(PROGRAMS) {
        trybuild::TestCases::new().compile_fail(Path::new(&folder).join("*.rs"));
    }
}

/// Spares the cases the C++ of their dependencies.
///
/// trybuild builds in a folder of its own, where torch-sys's C++ would be compiled a second time, for minutes. The cases
/// are checked and never linked, so they need none of it. Cargo lets a configuration answer for the build script of a
/// package with a `links` key, which is then neither compiled nor run, and it looks for configurations from the folder in
/// which it runs upwards: one in trybuild's folder holds for the cases and for nothing else.
fn leave_libtorch_out() {
    let target = host();
    let configuration = format!(
        "# written by tests/ui/main.rs, which says why\n\
         [target.{target}.tch]\n\
         \n\
         [target.{target}.tch_lightning]\n\
         libtorch_lib = \"nothing is linked\"\n"
    );
    let folder = target_directory().join("tests/trybuild/.cargo");
    let file = folder.join("config.toml");
    // an untouched file keeps what cargo has built
    if fs::read_to_string(&file).is_ok_and(|found| found == configuration) {
        return;
    }
    fs::create_dir_all(&folder).and_then(|()| fs::write(&file, configuration)).unwrap();
}

/// The files with this ending, in the order of their names.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|found| found == ending)).collect();
    files.sort();
    files
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

/// Where cargo builds, as trybuild asks it.
fn target_directory() -> PathBuf {
    let metadata = output(cargo().args(["metadata", "--no-deps", "--offline", "--format-version=1"]));
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    metadata["target_directory"].as_str().unwrap().into()
}

/// The platform for which the cases are checked: the one on which the test runs.
fn host() -> String {
    let version = output(rustc().arg("-vV"));
    version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

fn version() -> String {
    output(rustc().arg("-V")).trim_end().to_owned()
}

fn rustc() -> Command {
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
