//! The picture of the order of hooks, which is drawn from the declared hooks and the plan of a run: `tests/profiler/plan.rs` compares such plans
//! with the calls of runs.

use std::fmt::Write;
use tch_lightning::{__testing::plan_of_every_hook, Hook, Stage};

const STAGES: [(Stage, &str); 4] =
    [(Stage::Fit, "fit"), (Stage::Validate, "validate"), (Stage::Test, "test"), (Stage::Predict, "predict")];

/// Who overrides hooks, with the place of the column.
const OWNERS: [(&str, usize); 3] = [("callbacks", 560), ("data module", 650), ("module", 730)];

const WIDTH: usize = 780;
const ROW: usize = 22;
/// By how much the lines of a loop are indented.
const INDENT: usize = 18;

/// A line of a plan.
struct Line<'a> {
    depth: usize,
    /// A hook, or the title of a loop.
    text: &'a str,
    owners: Vec<&'a str>,
    when: &'a str,
}

impl<'a> Line<'a> {
    fn is_loop(&self) -> bool {
        self.owners.is_empty()
    }

    fn read(line: &'a str) -> Self {
        let text = line.trim_start();
        let depth = (line.len() - text.len()) / 2;
        if let Some(title) = text.strip_suffix(':') {
            return Self { depth, text: title, owners: Vec::new(), when: "" };
        }
        let (hook, rest) = text.split_once("  ").unwrap();
        let (owners, when) = rest.split_once("  (").unwrap_or((rest, ""));
        let owners = owners.trim().split(", ").map(|owner| owner.trim_end_matches('*')).collect();
        Self { depth, text: hook, owners, when: when.trim_end_matches(')') }
    }
}

fn lines(plan: &str) -> Vec<Line<'_>> {
    let (_, body) = plan.split_once("\n\n").unwrap();
    body.lines().map(Line::read).collect()
}

fn picture(name: &str, lines: &[Line<'_>]) -> String {
    let height = (lines.len() + 2) * ROW;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"hooks\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"The hooks of {name}, in order\" font-size=\"13\" fill=\"currentColor\">\n"
    );
    let _ = writeln!(svg, "<text x=\"8\" y=\"16\" font-weight=\"bold\">{name}</text>");
    for (owner, x) in OWNERS {
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"16\" text-anchor=\"middle\" font-size=\"12\">{owner}</text>");
    }
    for (index, line) in lines.iter().enumerate() {
        let (x, y) = (8 + line.depth * INDENT, (index + 1) * ROW);
        if line.is_loop() {
            let inner = lines[index + 1..].iter().take_while(|other| other.depth > line.depth).count();
            draw_loop(&mut svg, line, (x, y), inner);
        } else {
            draw_hook(&mut svg, line, (x, y));
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Draws the frame of a loop with this number of lines.
fn draw_loop(svg: &mut String, line: &Line<'_>, (x, y): (usize, usize), inner: usize) {
    let (width, height) = (WIDTH - 8 - x - 4 * line.depth, (inner + 1) * ROW);
    let _ = writeln!(
        svg,
        "<rect x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"{}\" rx=\"6\" fill=\"currentColor\" fill-opacity=\"0.05\" \
         stroke=\"currentColor\" stroke-opacity=\"0.3\"/>",
        y + 2,
        height - 3
    );
    let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\" font-style=\"italic\">{}</text>", x + 8, y + 17, line.text);
}

fn draw_hook(svg: &mut String, line: &Line<'_>, (x, y): (usize, usize)) {
    let _ = writeln!(svg, "<text x=\"{x}\" y=\"{}\" font-family=\"monospace\">{}</text>", y + 16, line.text);
    if !line.when.is_empty() {
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" font-size=\"11\" font-style=\"italic\" fill-opacity=\"0.75\">{}</text>",
            x + 8 * line.text.len() + 10,
            y + 16,
            line.when
        );
    }
    for (number, owner) in line.owners.iter().enumerate() {
        let (_, x) = OWNERS.iter().find(|(name, _)| name == owner).unwrap_or_else(|| panic!("{owner}"));
        let _ = writeln!(svg, "<circle cx=\"{x}\" cy=\"{}\" r=\"8\" fill=\"#3b7dd8\"/>", y + 11);
        let _ = writeln!(
            svg,
            "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" font-size=\"11\" fill=\"white\">{}</text>",
            y + 15,
            number + 1
        );
    }
}

/// `INSTA_UPDATE=always` draws it again.
#[test]
fn picture_of_the_hooks_is_that_of_the_declarations() {
    for (stage, name) in STAGES {
        let plan = plan_of_every_hook(stage);
        let svg = picture(name, &lines(&plan));
        let file = format!("{name}.svg");
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_binary_snapshot!(&file, svg.into_bytes());
        });
    }
}

#[test]
fn every_hook_is_in_the_picture() {
    let plans = STAGES.map(|(stage, _)| plan_of_every_hook(stage));
    let drawn: Vec<&str> = plans.iter().flat_map(|plan| lines(plan)).map(|line| line.text).collect();
    let missing: Vec<&str> = Hook::ALL.iter().map(|hook| hook.name()).filter(|name| !drawn.contains(name)).collect();
    // the one may be called at any time, and the other is the older name of `configure_model`
    assert_eq!(missing, ["configure_sharded_model", "on_exception"]);
}
