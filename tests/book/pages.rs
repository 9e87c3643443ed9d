//! The files of the book: their list, what they include, and their links.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

pub(super) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

pub(super) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages as they are written, by their paths below `book/src`.
pub(super) fn sources() -> BTreeMap<PathBuf, String> {
    fn add(folder: &Path, below: &Path, found: &mut BTreeMap<PathBuf, String>) {
        for entry in fs::read_dir(folder.join(below)).unwrap() {
            let path = below.join(entry.unwrap().file_name());
            if folder.join(&path).is_dir() {
                add(folder, &path, found);
            } else if path.extension().is_some_and(|extension| extension == "md") && !path.ends_with("SUMMARY.md") {
                found.insert(path.clone(), read(&folder.join(path)));
            }
        }
    }
    let mut found = BTreeMap::new();
    add(&checkout().join("book/src"), Path::new(""), &mut found);
    found
}

/// The pages with what they include.
fn pages() -> BTreeMap<PathBuf, String> {
    let with_included = |(path, text): (PathBuf, String)| {
        let lines = text.lines().map(|line| {
            let Some(what) = line.strip_prefix("{{#include ").and_then(|rest| rest.strip_suffix("}}")) else {
                assert!(!line.contains("{{#"), "{}: `{line}` is not on a line of its own", path.display());
                return line.to_owned();
            };
            included(&checkout().join("book/src").join(&path), what)
        });
        let text = lines.collect::<Vec<_>>().join("\n");
        (path, text)
    };
    sources().into_iter().map(with_included).collect()
}

/// Returns the text of `FILE`, `FILE:ANCHOR` or `FILE:LINE:`.
fn included(page: &Path, what: &str) -> String {
    let (file, part) = what.split_once(':').unwrap_or((what, ""));
    let text = read(&page.parent().unwrap().join(file));
    if part.is_empty() {
        return text;
    }
    if let Some(first) = part.strip_suffix(':') {
        let first: usize = first.parse().unwrap();
        return text.lines().skip(first - 1).collect::<Vec<_>>().join("\n");
    }
    let [begin, end] = ["", "_END"].map(|suffix| format!("<!-- ANCHOR{suffix}: {part} -->\n"));
    let rest = text.split_once(&begin).unwrap_or_else(|| panic!("{file} has no `{begin}`")).1;
    rest.split_once(&end).unwrap_or_else(|| panic!("{file} has no `{end}`")).0.to_owned()
}

/// The lines outside of blocks of code, or inside those of these languages.
pub(super) fn lines<'a>(text: &'a str, of_code: &[&str]) -> Vec<&'a str> {
    let (mut language, mut found) = (None, Vec::new());
    for line in text.lines() {
        match (line.strip_prefix("```"), language) {
            (Some(_), Some(_)) => language = None,
            (Some(of_block), None) => language = Some(of_block),
            (None, None) if of_code.is_empty() => found.push(line),
            (None, Some(of_block)) if of_code.contains(&of_block) => found.push(line),
            (None, _) => {}
        }
    }
    found
}

/// Returns the anchor that mdBook gives a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '_' | '-'));
    kept.map(|letter| if letter == ' ' { '-' } else { letter.to_ascii_lowercase() }).collect()
}

/// Returns the targets of links: `](target)`, and `[name]: target`.
fn links(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in lines(text, &[]) {
        found.extend(line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next()));
        found.extend(line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target));
    }
    found
}

/// Returns the path without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => assert!(normal.pop(), "{} leads out of the book", path.display()),
            other => normal.push(other),
        }
    }
    normal
}

#[test]
fn summary_lists_every_page() {
    let summary = read(&checkout().join("book/src/SUMMARY.md"));
    let mut listed: Vec<PathBuf> = links(&summary).into_iter().map(PathBuf::from).collect();
    listed.sort();
    assert_eq!(listed, sources().into_keys().collect::<Vec<_>>());
}

#[test]
fn links_lead_to_pages_and_headings() {
    let pages = pages();
    let anchors = |page: &Path| -> Option<Vec<String>> {
        let headings = lines(pages.get(page)?, &[]).into_iter().filter(|line| line.starts_with('#'));
        Some(headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect())
    };
    let mut checked = 0;
    for (page, text) in &pages {
        for link in links(text).into_iter().filter(|link| !link.contains("://")) {
            let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => normal(&page.parent().unwrap().join(file)),
            };
            let anchors = anchors(&target).unwrap_or_else(|| panic!("{}: `{link}` leads nowhere", page.display()));
            let is_there = fragment.is_empty() || anchors.iter().any(|anchor| anchor == fragment);
            assert!(is_there, "{}: `{link}` leads to none of {anchors:?}", page.display());
            checked += 1;
        }
    }
    assert!(checked > 20, "{checked}");
}

#[test]
fn every_error_has_its_place() {
    let errors = fs::read_dir(checkout().join("runtime/src/errors")).unwrap();
    let names = errors.map(|file| file.unwrap().file_name().into_string().unwrap());
    let pages: String = sources().into_values().collect();
    for name in names.filter(|name| name.ends_with(".md")) {
        assert!(pages.contains(&format!("runtime/src/errors/{name}}}}}")), "the book does not include {name}");
    }
}

/// The other blocks are included, and run where they stand.
#[test]
fn every_program_of_a_chapter_is_run() {
    let tested = include_str!("mod.rs");
    for (page, text) in sources() {
        let has_program = text.contains("```rust");
        let is_tested = tested.contains(&format!("\"{}\"", page.display()));
        assert_eq!(has_program, is_tested, "{}: `chapters!` lists the chapters with programs", page.display());
    }
}
