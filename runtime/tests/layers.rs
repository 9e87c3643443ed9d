//! The rooms of the crate import downwards only: `src/layers.txt` lists them from top to bottom.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What is above all rooms: the crate's own file, the names that generated code uses, and a program.
const ABOVE_ALL: [&str; 4] = ["lib", "private", "__testing", "compiled_once"];

#[test]
fn rooms_import_downwards_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let layers = layers(&fs::read_to_string(source.join("layers.txt")).unwrap());
    let mut upwards = BTreeSet::new();
    let mut rooms = BTreeSet::new();
    for file in files(&source) {
        let path = file.strip_prefix(&source).unwrap();
        let room = room(path);
        if ABOVE_ALL.contains(&room.as_str()) {
            continue;
        }
        let layer = layers.get(&room).unwrap_or_else(|| panic!("`{room}` has no line in src/layers.txt"));
        for imported in imported(&fs::read_to_string(&file).unwrap()) {
            if imported != room && layers.get(&imported).is_none_or(|below| below <= layer) {
                upwards.insert(format!("{} imports `{imported}`, which is not below `{room}`", path.display()));
            }
        }
        rooms.insert(room);
    }
    assert!(upwards.is_empty(), "{}", Vec::from_iter(upwards).join("\n"));
    let listed: BTreeSet<String> = layers.into_keys().collect();
    assert_eq!(listed, rooms, "src/layers.txt lists the rooms that there are");
}

#[test]
fn imports_are_found_wherever_they_are_written() {
    let source = r#"
        //! Reads [`crate::documentation`].
        use crate::{context::{Context, RunContext}, hook::Hook};
        use crate::stage::Stage;
        fn call() { terminal!("crate::text", crate::terminal::say()) }
        #[cfg(test)]
        mod tests { use crate::trainer::Trainer; }
        #[cfg(test)]
        use crate::loops::fit;
        #[derive(Debug)]
        struct Last(crate::data::Seed);
    "#;
    assert_eq!(Vec::from_iter(imported(source)), ["context", "data", "hook", "stage", "terminal"]);
}

/// The layer of each room, 0 at the top.
fn layers(list: &str) -> BTreeMap<String, usize> {
    let lines = list.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let rooms =
        lines.enumerate().flat_map(|(layer, line)| line.split_whitespace().map(move |room| (room.to_owned(), layer)));
    rooms.collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let nested = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    // what only tests compile drives the crate from above
    nested
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("power_cut.rs"))
        .collect()
}

fn room(path: &Path) -> String {
    path.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The modules of the crate that a file names in its `crate::…` paths, apart from its tests.
fn imported(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(&source.parse().unwrap(), &mut found);
    found
}

fn collect(tokens: &TokenStream, found: &mut BTreeSet<String>) {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut place = 0;
    while let Some(token) = tokens.get(place) {
        place += 1;
        match token {
            TokenTree::Group(group) if group.stream().to_string() == "cfg (test)" => {
                place += after_item(&tokens[place..]);
            }
            TokenTree::Group(group) => collect(&group.stream(), found),
            TokenTree::Ident(name) if name == "crate" => match tokens.get(place + 2) {
                Some(TokenTree::Ident(room)) if is_path(&tokens[place..]) => {
                    found.insert(room.to_string());
                }
                Some(TokenTree::Group(group)) if is_path(&tokens[place..]) => {
                    found.extend(firsts(group.stream()));
                }
                _ => {}
            },
            _ => {}
        }
    }
}

fn is_path(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Punct(one), TokenTree::Punct(two), ..] if one.as_char() == ':' && two.as_char() == ':')
}

/// The first names of the paths in a group of imports.
fn firsts(group: TokenStream) -> Vec<String> {
    let mut firsts = Vec::new();
    let mut is_first = true;
    for token in group {
        match token {
            TokenTree::Ident(name) if is_first => {
                firsts.push(name.to_string());
                is_first = false;
            }
            TokenTree::Punct(punct) if punct.as_char() == ',' => is_first = true,
            _ => {}
        }
    }
    firsts
}

/// The number of tokens up to the end of an item.
fn after_item(tokens: &[TokenTree]) -> usize {
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    };
    tokens.iter().position(is_end).map_or(tokens.len(), |end| end + 1)
}
