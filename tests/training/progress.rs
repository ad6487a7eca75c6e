//! The progress output of trainings: in a pipe, in a CI log, and on real terminals of 40, 80 and 200 columns, by one
//! training and by three at once. A separate process trains, because there is only one standard output.

use std::num::NonZero;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use cornu::callback::Flow;
use cornu::ndarray::{Array1, Array2};
use cornu::prelude::*;

/// The number of trainings in the child process.
const TRAININGS: &str = "CORNU_PROGRESS_TRAININGS";
const EPOCHS: usize = 3;

/// A training of 40 batches per epoch, each of which sleeps, like a network on a slow machine.
fn train(seed: u64, trainings: u64) -> Result<()> {
    let x = Array2::from_shape_fn((640, 4), |(i, j)| ((i * 7 + j * 3) % 11) as f32 / 11.0);
    let y = Array1::from_shape_fn(640, |i| (i * 7 % 11) / 4);
    let mut model = Sequential::new().seed(seed).add(Dense::new(3)).add(Softmax::new());
    let metrics = (Accuracy::new(), TopKAccuracy::new().k(2));
    model.compile(Adam::new(1e-3), SparseCategoricalCrossentropy::new(), metrics)?;
    let slow = LambdaCallback::new()
        .on_batch_end(|_| {
            thread::sleep(Duration::from_millis(8));
            Ok(Flow::Continue)
        })
        .on_epoch_end(|at| {
            let line = format!("a user's line in epoch {}", at.epoch + 1);
            // While others draw, only this output is certain to appear above their bars.
            if trainings > 1 {
                at.println(line)
            } else {
                println!("{line}")
            }
            Ok(Flow::Continue)
        });
    let fit = Fit::new().epochs(EPOCHS).batch_size(16).diagnose(Diagnose::Off).callback(slow);
    model.fit(&x, &y, &fit)?;
    Ok(())
}

#[test]
#[ignore = "the process that the other tests start"]
fn trains() {
    let trainings: u64 = std::env::var(TRAININGS).ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..trainings).map(|seed| scope.spawn(move || train(seed, trainings))).collect();
        threads.into_iter().for_each(|thread| thread.join().expect("no panic").expect("it trains"));
    });
}

/// The command of that process, whose output includes that of the test harness.
fn command(trainings: usize) -> String {
    let exe = std::env::current_exe().expect("a test has a path");
    format!("{TRAININGS}={trainings} {} --ignored --nocapture --exact progress::trains", exe.display())
}

fn run(line: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new("sh");
    command.args(["-c", line]).stdin(Stdio::null());
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm-256color").envs(variables.iter().copied());
    let Output { status, stdout, .. } = command.output().expect("a shell");
    let text = String::from_utf8(stdout).expect("UTF-8");
    assert!(status.success(), "{line}: {text}");
    text
}

/// The bytes written to a terminal of this width.
fn terminal(columns: u16, trainings: usize, variables: &[(&str, &str)]) -> Option<String> {
    let there = Command::new("script").arg("--version").output();
    if !there.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("util-linux")) {
        println!("skipped: no terminal, because `script` of util-linux is missing");
        return None;
    }
    let inner = format!("stty cols {columns} rows 24; {}", command(trainings));
    Some(run(&format!("script --quiet --return --command '{inner}' /dev/null"), variables))
}

/// The final lines on that terminal, including those that scrolled away.
fn left(written: &str, columns: u16) -> Vec<String> {
    let size = |size| NonZero::new(size).unwrap();
    let mut screen = vt100::Parser::new(size(400), size(columns), 0);
    screen.process(written.as_bytes());
    let lines = screen.screen().rows(0, columns).map(|line| line.trim_end().to_string());
    lines.filter(|line| !line.is_empty()).collect()
}

/// Checks that each epoch has one complete line per training, with no remains of bars.
#[track_caller]
fn is_clean(lines: &[String], trainings: usize) {
    let all = lines.join("\n");
    for training in 1..=trainings {
        let number = if trainings > 1 { format!("#{training} ") } else { String::new() };
        for epoch in 1..=EPOCHS {
            let head = format!("{number}Epoch {epoch}/{EPOCHS} - ");
            let printed = lines.iter().filter(|line| line.starts_with(&head)).collect::<Vec<_>>();
            assert_eq!(printed.len(), 1, "`{head}` in\n{all}");
            assert!(printed[0].contains("/step"), "{all}");
        }
    }
    for name in ["loss: ", "accuracy: ", "top_k_accuracy: "] {
        assert!(all.matches(&format!(" {name}")).count() == EPOCHS * trainings, "{name} in\n{all}");
    }
    for epoch in 1..=EPOCHS {
        let users = format!("a user's line in epoch {epoch}");
        assert_eq!(lines.iter().filter(|line| **line == users).count(), trainings, "{all}");
    }
    assert!(!all.contains(['━', '─', '\r', '\x1b']) && !all.contains("ETA"), "{all}");
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(String::from).collect()
}

#[test]
fn a_pipe_receives_one_line_per_epoch_without_control_characters() {
    for trainings in [1, 3] {
        is_clean(&lines(&run(&command(trainings), &[])), trainings);
    }
    is_clean(&lines(&run(&command(1), &[("CI", "true"), ("NO_COLOR", "1")])), 1);
}

#[test]
fn a_ci_log_and_a_dumb_terminal_receive_the_same_as_a_pipe() {
    for variable in [("CI", "true"), ("TERM", "dumb")] {
        let Some(text) = terminal(80, 1, &[variable]) else { return };
        is_clean(&lines(&text.replace("\r\n", "\n")), 1);
    }
}

#[test]
fn bars_fit_any_terminal_and_are_removed_at_the_end() {
    for columns in [40, 80, 200] {
        let Some(text) = terminal(columns, 1, &[("NO_COLOR", "1")]) else { return };
        assert_eq!(text.contains('━'), cfg!(feature = "progress"), "{text}");
        // Only cursor movement and line clearing, no colours.
        let colours = text.split("\x1b[").skip(1).filter(|code| {
            code.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m')
        });
        assert_eq!(colours.count(), 0, "{text:?}");
        is_clean(&left(&text, columns), 1);
    }
}

#[test]
fn concurrent_trainings_do_not_garble_each_other() {
    for columns in [40, 80, 200] {
        let Some(text) = terminal(columns, 3, &[]) else { return };
        is_clean(&left(&text, columns), 3);
    }
}
