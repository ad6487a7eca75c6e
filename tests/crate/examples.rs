//! The examples raise no false alarms: each example that trains a learning network, with five seeds of its initial
//! weights.
//!
//! ```text
//! cargo test --release --test crate -- --ignored --nocapture
//! ```

use std::path::Path;
use std::process::Command;

/// The output of an example, findings included.
fn run(example: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO"));
    command.args([
        "run",
        "--locked",
        "--quiet",
        "--release",
        "--features",
        "csv,keras",
        "--example",
        example,
    ]);
    command.arg("--").args(arguments);
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo");
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{example} {arguments:?}: {text}");
    text
}

#[track_caller]
fn is_quiet(example: &str, arguments: &[&str]) {
    let text = run(example, arguments);
    let alarm = ["error[N", "warning[N"].iter().any(|alarm| text.contains(alarm));
    assert!(!alarm, "{example} {arguments:?}: {text}");
    println!("{example} {arguments:?} is quiet");
}

#[test]
#[ignore = "builds the examples and trains for two minutes"]
fn examples_raise_no_alarm() {
    for seed in ["1", "2", "3", "4", "5"] {
        ["digits", "regression_interval", "saliency", "surnames", "words", "custom_layer"]
            .iter()
            .for_each(|name| is_quiet(name, &[seed]));
    }
    // These examples try several seeds themselves.
    ["forecasting", "autoencoder"].iter().for_each(|name| is_quiet(name, &[]));
    is_quiet("time_series", &["--seeds", "5"]);
    is_quiet("larger_than_memory", &["16"]);
    // These examples demonstrate a finding, and print the page of one.
    assert!(run("signals", &[]).contains("error[N0202]"));
    assert!(run("explain", &["N0202"]).starts_with("# N0202: badly scaled inputs"));
}

/// Each of the guide's eight examples is short and draws a picture that the guide shows: small, and without an empty
/// line, which would end it in Markdown.
#[test]
fn examples_are_short_and_their_pictures_are_in_the_guide() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: String| std::fs::read_to_string(root.join(&path)).expect(&path);
    let guide = read("src/guide/examples.rs".into());
    let shown = [
        "digits",
        "regression_interval",
        "saliency",
        "forecasting",
        "autoencoder",
        "surnames",
        "search",
        "larger_than_memory",
    ];
    for name in shown {
        let (source, path) = (read(format!("examples/{name}.rs")), format!("examples/pictures/{name}.svg"));
        assert!(source.lines().count() < 80, "{name} has {} lines", source.lines().count());
        assert!(source.contains(&path) && guide.contains(&path), "{path} is drawn and shown");
        let command = guide.lines().find(|line| line.ends_with(&format!("--example {name}")));
        assert!(command.is_some_and(|command| command.contains("plot ")), "{name}");
        let picture = read(path);
        assert!(picture.len() < 40_000, "{name}: {} bytes", picture.len());
        assert!(
            picture.starts_with("<svg ") && picture.lines().all(|line| !line.trim().is_empty()),
            "{name}"
        );
    }
    assert_eq!(guide.matches("include_str!").count(), shown.len());
    assert!(read("examples/diagnose.rs".into()).lines().count() < 80);
}
