//! What `fit` prints about its findings: each once, in lines that fit the terminal, and a summary. A child process trains, so that its
//! standard error can be read.

use std::process::Command;

use cornu::prelude::*;
use ndarray::{Array1, Array2};

use crate::synthetic::faulty_network;

#[test]
#[ignore = "the process that the other tests start"]
fn trains() {
    let y = Array1::from_shape_fn(120, |i| i % 3);
    let x = Array2::from_shape_fn((120, 6), |(i, j)| {
        1e4 * (f32::from(u8::from(i % 3 == j % 3)) + ((i * 7 + j * 5) % 11) as f32 / 11.0)
    });
    let mut model = faulty_network();
    let verbose = if std::env::var("CORNU_SILENT").is_ok() { Verbose::Silent } else { Verbose::Auto };
    let fit = Fit::new().epochs(8).batch_size(20).verbose(verbose).diagnose(Diagnose::Investigate);
    model.fit(&x, &y, &fit).unwrap();
}

/// What that process writes to standard error, in lines of this width.
fn printed(width: usize, silent: bool) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--nocapture", "--exact", "printed::trains"]);
    command.env("COLUMNS", width.to_string()).env_remove("CLICOLOR_FORCE").env("NO_COLOR", "1");
    if silent {
        command.env("CORNU_SILENT", "1");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn fit_prints_each_finding_once_and_ends_with_a_summary() {
    for width in [60, 80, 120] {
        let text = printed(width, false);
        let (during, summary) =
            text.split_once("\ndiagnosis: ").unwrap_or_else(|| panic!("no summary in {text}"));
        for code in ["N0202", "N0103"] {
            let page = format!("/enum.{code}.html");
            assert_eq!(text.matches(&page).count(), 1, "{code} has one box: {text}");
            let lines = summary.lines().filter(|line| line.contains(&format!("[{code}]")));
            assert_eq!(lines.count(), 1, "{code} has one line in the summary: {text}");
        }
        assert!(!summary.contains("diagnosis: ") && summary.contains("recommended: "), "{text}");
        // An empty line before each box but the first.
        let lines: Vec<&str> = during.lines().collect();
        for pages in 1..lines.len() {
            let starts = lines[pages - 1].contains("--example explain") && !lines[pages].is_empty();
            assert!(!starts, "{text}");
        }
        for line in text.lines().filter(|line| !line.contains("https://")) {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
        // Every word of the suggestion is whole.
        assert!(text.contains("`Normalization::new().adapt(&x)?`"), "{text}");
    }
}

#[test]
fn a_silent_training_prints_nothing() {
    assert_eq!(printed(80, true), "");
}
