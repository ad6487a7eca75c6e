//! No false alarm in the examples: each of those that train a network which learns, from five seeds of its first weights.
//!
//! ```text
//! cargo test --release --test examples -- --ignored --nocapture
//! ```

use std::process::Command;

/// What an example prints, findings among it.
fn run(example: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--locked", "--quiet", "--release", "--example", example, "--"]).args(arguments);
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
#[ignore = "it builds the examples, and trains for two minutes"]
fn examples_raise_no_alarm() {
    for seed in ["1", "2", "3", "4", "5"] {
        ["digits", "regression_interval", "surnames", "custom_layer"]
            .iter()
            .for_each(|name| is_quiet(name, &[seed]));
    }
    // These go through seeds of their own.
    ["forecasting", "autoencoder"].iter().for_each(|name| is_quiet(name, &[]));
    is_quiet("time_series", &["--seeds", "5"]);
    is_quiet("larger_than_memory", &["16"]);
    // And the report of a finding is what is looked for.
    assert!(run("signals", &[]).contains("error[N0202]"));
}
