//! Each row of the page "Differences from Lightning" names a test that is there.
#![allow(missing_docs)]

use std::fs;
use std::path::Path;

#[test]
fn differences_have_a_test_each() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("runtime/src/differences.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Lightning |"));
    let mut differences = 0;
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        assert_eq!(cells.len(), 4, "{row}");
        let quoted: Vec<&str> = cells[3].split('`').skip(1).step_by(2).collect();
        let [file, test] = quoted.as_slice() else { panic!("no test in {row}") };
        let code = fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(code.contains(&format!("#[test]\nfn {test}()")), "{file} has no test `{test}`");
        differences += 1;
    }
    assert!(differences >= 12, "{differences}");
}
