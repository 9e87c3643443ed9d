//! The catalogue, the pages of its codes and the programs that make its mistakes fit together.

use super::{batches, blocks, counterparts, logging, names, parameters, programs, returns};
use std::fs;
use std::path::{Path, PathBuf};

/// Every code with its title.
fn codes() -> Vec<(&'static str, &'static str)> {
    let groups = [
        names::CODES,
        parameters::CODES,
        returns::CODES,
        blocks::CODES,
        counterparts::CODES,
        batches::CODES,
        programs::CODES,
        logging::CODES,
    ];
    groups.concat()
}

fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The texts of the files with this ending in a folder.
fn texts(folder: &str, ending: &str) -> Vec<(String, String)> {
    let files = fs::read_dir(workspace(folder)).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == ending));
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    files.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn codes_are_in_order() {
    assert!(codes().is_sorted_by(|(one, _), (other, _)| one < other));
    assert!(codes().iter().all(|(code, _)| code.len() == 6));
}

#[test]
fn codes_have_a_page_each() {
    let pages = texts("runtime/src/errors", "md");
    let module = fs::read_to_string(workspace("runtime/src/errors/mod.rs")).unwrap();
    for (code, title) in codes() {
        let (_, page) = pages.iter().find(|(name, _)| name == code).unwrap_or_else(|| panic!("{code} has no page"));
        assert_eq!(page.lines().next(), Some(title), "{code}");
        assert!(page.contains(&format!(" [{code}]\n")), "the page of {code} does not show its sentence");
        assert!(module.split_whitespace().any(|word| word == code), "{code} is not in errors/mod.rs");
    }
    for (name, _) in &pages {
        assert!(codes().iter().any(|(code, _)| code == name), "{name}.md is the page of no mistake");
    }
}

#[test]
fn codes_are_all_used_in_messages() {
    let said = texts("tests/ui/fail", "stderr");
    for (code, _) in codes() {
        let code = format!("[{code}]");
        assert!(said.iter().any(|(_, text)| text.contains(&code)), "no program in tests/ui/fail makes {code}");
    }
}
