//! The page of `report`, as headless Chromium reads it.

use crate::child::{Program, column};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use tch_lightning::report::{LoggedRun, runs_of, write_report};

/// Returns the document that Chromium makes of a page, after its script has run; `None` where there is no Chromium.
fn dom(page: &Path) -> Option<String> {
    let profile = tempfile::tempdir().unwrap();
    let flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom"];
    for name in ["chromium", "chromium-browser", "google-chrome"] {
        let mut command = Command::new(name);
        command.args(flags).arg(format!("--user-data-dir={}", profile.path().display()));
        command.arg(format!("file://{}", page.canonicalize().unwrap().display())).stderr(Stdio::null());
        if let Ok(output) = command.output() {
            assert!(output.status.success(), "{name} failed");
            return Some(String::from_utf8(output.stdout).unwrap());
        }
    }
    eprintln!("skipped: the page is read by Chromium, which is not installed");
    None
}

/// Returns the part of a text between two others.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let from = text.find(start).unwrap_or_else(|| panic!("`{start}` is not in {text}")) + start.len();
    &text[from..from + text[from..].find(end).unwrap()]
}

/// Returns the card of a chart.
fn card<'a>(dom: &'a str, title: &str) -> &'a str {
    between(dom, &format!("<figure class=\"card\" data-title=\"{title}\">"), "</figure>")
}

/// Returns the last, smallest and largest value that a card lists for a line.
fn listed(card: &str, line: &str) -> [f64; 3] {
    let row = between(card, &format!("<tr data-line=\"{line}\">"), "</tr>");
    ["last", "min", "max"].map(|class| between(row, &format!("<td class=\"number {class}\">"), "<").parse().unwrap())
}

/// The same of a column of the CSV file, with the digits that the page shows.
fn logged(run: &Path, name: &str) -> [f64; 3] {
    let values = column(run, name);
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    [*values.last().unwrap(), finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max)]
}

fn assert_close(found: [f64; 3], expected: [f64; 3]) {
    for (found, expected) in found.into_iter().zip(expected) {
        assert!(
            (found - expected).abs() <= 6e-5 || (found - expected).abs() <= 1e-3 * expected.abs(),
            "{found} {expected}"
        );
    }
}

#[test]
fn page_of_two_runs_has_their_values() {
    let program = Program::new();
    program.succeed("fit");
    program.succeed_with_json_lines("fit --lr 0.01");
    assert_eq!(program.succeed("report lightning_logs -o pages/two.html").trim(), "pages/two.html");
    let Some(dom) = dom(&program.path("pages/two.html")) else { return };
    let run = |version: usize| program.path(&format!("lightning_logs/version_{version}"));
    let loss = card(&dom, "loss");
    for version in [0, 1] {
        assert_close(listed(loss, &format!("version_{version} val")), logged(&run(version), "val_loss"));
        assert_close(
            listed(loss, &format!("version_{version} train epoch")),
            logged(&run(version), "train_loss_epoch"),
        );
        assert_close(listed(loss, &format!("version_{version} train step")), logged(&run(version), "train_loss_step"));
        assert_close(listed(card(&dom, "lr-SGD"), &format!("version_{version}")), logged(&run(version), "lr-SGD"));
    }
    // the values at the pointer
    let line = between(loss, "data-name=\"version_1 train step\"", ">");
    let values: Vec<f64> =
        between(line, "data-values=\"", "\"").split(' ').map(|value| value.parse().unwrap()).collect();
    let expected = column(&run(1), "train_loss_step");
    assert_eq!(values.len(), 15);
    assert!(values.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5 * b.abs()), "{values:?} {expected:?}");
    assert_eq!(between(line, "data-steps=\"", "\""), "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14");
    let settings = between(&dom, "<table class=\"settings\">", "</table>");
    assert_eq!(between(settings, "data-setting=\"model.lr\">", "</tr>"), "<th>model.lr</th><td>0.1</td><td>0.01</td>");
    assert!(!settings.contains("model.width"));
    assert!(dom.contains("2 settings are the same") || dom.contains("settings are the same in all runs"));
}

#[test]
fn page_of_one_run_has_all_that_it_logged() {
    let program = Program::new();
    program.succeed("fit");
    program.succeed("report lightning_logs/version_0");
    let path = program.path("report.html");
    let text = fs::read_to_string(&path).unwrap();
    // it refers to nothing else
    for word in ["http://", "https://", "src=\"/", "url(", "@import"] {
        let outside = text.replace("http://www.w3.org/2000/svg", "");
        assert!(!outside.contains(word), "{word}");
    }
    let Some(dom) = dom(&path) else { return };
    assert!(dom.contains("<title>version_0</title>"), "a logged text has run as a script");
    assert!(dom.contains("&lt;script&gt;document.title") && dom.contains("<td>&lt;i&gt;7&lt;/i&gt;</td><td>4.5</td>"));
    assert_close(listed(card(&dom, "val_acc"), ""), logged(&program.path("lightning_logs/version_0"), "val_acc"));
    // a name with a slash and HTML, and a value that is not finite
    let odd = between(&dom, "data-title=\"odd/", "</figure>");
    assert!(odd.contains("<b>odd/&lt;b&gt;name&lt;/b&gt;</b>") && odd.contains("<em>1 not finite</em>"), "{odd}");
    assert_eq!(between(odd, " d=\"", "\"").matches('M').count(), 2);
    assert_eq!(between(&dom, "id=\"images\"", "</section>").matches("data:image/png;base64,").count(), 3);
    assert_eq!(between(&dom, "id=\"images\"", "</section>").matches("data:image/svg+xml;base64,").count(), 3);
    assert!(card(&dom, "hidden.weight").contains("class=\"band c0\""));
    let model = between(&dom, "id=\"model\"", "</section>");
    // 2 × 8 + 8 and 8 + 1
    assert_eq!(between(model, "<span class=\"parameters\">", "<"), "33");
    // twice 4·2·8 and 4·8 multiplications, and the gradients of both weights and of the second layer's input
    assert_eq!(between(model, "<span class=\"flops\">", "<"), "448");
    let head = between(model, "<tr data-layer=\"head\">", "</tr>");
    let shapes = "<td><code>[4, 8]</code></td><td><code>[4, 1]</code></td><td class=\"number\">64</td>";
    assert!(head.ends_with(shapes), "{head}");
    let hooks = between(&dom, "id=\"hooks\"", "</section>");
    assert!(
        hooks.contains("on_before_optimizer_step")
            && hooks.contains("report/program.rs:")
            && !hooks.contains("test_step")
    );
    assert!(between(&dom, "id=\"environment\"", "</section>").contains("libtorch"));
    assert!(between(&dom, "id=\"runs\"", "</section>").contains("<td class=\"finished\">finished</td>"));
}

#[test]
fn page_of_a_long_run_is_small_and_has_its_extremes() {
    let root = tempfile::tempdir().unwrap();
    let mut rows = "step,epoch,loss,time\n".to_owned();
    for step in 0..100_000 {
        let loss = if step == 54_321 { 77.5 } else { 1.0 + f64::from(step % 13) / 100.0 };
        let _ = writeln!(rows, "{step},0,{loss},{}", f64::from(step) / 50.0);
    }
    fs::write(root.path().join("metrics.csv"), rows).unwrap();
    let run = LoggedRun::read(root.path()).unwrap();
    let page = root.path().join("report.html");
    write_report(&[run], &page).unwrap();
    let size = page.metadata().unwrap().len();
    assert!(size < 200_000, "{size}");
    let Some(dom) = dom(&page) else { return };
    assert_eq!(listed(card(&dom, "loss"), ""), [1.03, 1.0, 77.5]);
    let values = between(card(&dom, "loss"), "data-values=\"", "\"");
    assert!(values.split(' ').any(|value| value == "77.5"));
    assert_eq!(listed(card(&dom, "steps per second"), ""), [50.0, 50.0, 50.0]);
}

#[test]
fn page_of_hundreds_of_metrics_can_be_searched() {
    let root = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..300).map(|index| format!("m{index}")).collect();
    let mut rows = format!("step,{}\n", names.join(","));
    for step in 0..2_000 {
        let _ = writeln!(rows, "{step}{}", format!(",0.{step}").repeat(300));
    }
    fs::write(root.path().join("metrics.csv"), rows).unwrap();
    let page = root.path().join("report.html");
    write_report(&[LoggedRun::read(root.path()).unwrap()], &page).unwrap();
    let text = fs::read_to_string(&page).unwrap();
    assert_eq!(text.matches("class=\"card\"").count(), 300);
    assert!(text.contains("Filter 300 charts by name"));
    assert!(text.len() < 3_000_000, "{}", text.len());
}

#[test]
fn page_of_runs_that_lack_something_says_so() {
    let root = tempfile::tempdir().unwrap();
    let (empty, broken) = (root.path().join("empty"), root.path().join("broken"));
    fs::create_dir_all(&empty).unwrap();
    fs::create_dir_all(broken.join("metrics.csv")).unwrap();
    fs::write(broken.join("hparams.json"), "{\"model\": {\"lr\": 0.1}").unwrap();
    let page = root.path().join("report.html");
    write_report(&runs_of([&empty, &broken]).unwrap(), &page).unwrap();
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.contains("No metrics were logged."));
    assert!(
        text.contains("broken/metrics.csv: Is a directory") && text.contains("broken/hparams.json is not valid"),
        "{text}"
    );
    let said = Program::new().refuse("report nowhere");
    assert_eq!(said, "error: cannot read the runs in nowhere: No such file or directory (os error 2)");
}
