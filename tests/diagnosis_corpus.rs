//! Real faulty programs, and healthy ones, built and trained.
//!
//! ```text
//! cargo test --release --test diagnosis_corpus -- --ignored --nocapture
//! ```
//! `CORPUS` chooses programs by a part of their names, and `CORPUS_SEEDS` how many seeds (3).

mod corpus;

use std::time::Instant;

use cornu::prelude::*;
use corpus::program::Program;
use corpus::quality::quality;
use serde_json::Value;

/// How a program ended.
enum End {
    /// The crate would not train it.
    Refused(Error),
    /// The training stopped at a number that is not finite.
    Diverged(Error),
    Trained(History),
}

struct Outcome {
    /// The loss of the first 512 rows before the training.
    first_loss: Option<f64>,
    /// How well the task is done in the end.
    quality: Option<f64>,
    end: End,
}

fn run(program: &Program, seed: u64) -> Outcome {
    let prepared = match program.prepare(seed) {
        Ok(prepared) => prepared,
        Err(error) => return Outcome { first_loss: None, quality: None, end: End::Refused(error) },
    };
    let (x, y) = prepared.head(512);
    let scores = prepared.model.evaluate(&x, &y, &Evaluate::new());
    let first_loss = scores.ok().and_then(|scores| scores.get("loss"));
    prepared.with_fit(|mut model, x, y, fit| {
        let end = match model.fit(x, y, &fit) {
            Ok(history) => End::Trained(history),
            Err(error @ Error::Diverged { .. }) => End::Diverged(error),
            Err(error) => End::Refused(error),
        };
        Outcome { first_loss, quality: quality(&model, &prepared).ok(), end }
    })
}

/// The programs that were asked for.
fn chosen() -> Vec<Program> {
    let part = std::env::var("CORPUS").unwrap_or_default();
    Program::all().into_iter().filter(|program| program.id.contains(&part)).collect()
}

fn seeds() -> std::ops::RangeInclusive<u64> {
    1..=std::env::var("CORPUS_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(3)
}

fn line(outcome: &Outcome) -> String {
    let first = outcome.first_loss.map_or("-".into(), |loss| format!("{loss:.5}"));
    let quality = outcome.quality.map_or(String::new(), |quality| format!("  quality {quality:.3}"));
    match &outcome.end {
        End::Refused(error) => format!("refused: {error}"),
        End::Diverged(error) => format!("first {first}; {error}"),
        End::Trained(history) => {
            let losses = history.get("loss").unwrap_or(&[]);
            let at = |place: usize| losses.get(place).map_or("-".into(), |loss| format!("{loss:.5}"));
            let more =
                |name| history.last(name).map_or(String::new(), |value| format!("  {name} {value:.4}"));
            format!(
                "first {first}; {} → {} → {} in {} epochs{quality}{}{}{}",
                at(0),
                at((losses.len().max(1) - 1) / 2),
                at(losses.len().max(1) - 1),
                losses.len(),
                more("accuracy"),
                more("val_loss"),
                more("val_accuracy")
            )
        }
    }
}

fn keras(facts: &Value) -> String {
    let keras = &facts["keras"];
    if keras.is_null() {
        return "not measured".into();
    }
    let [a, b, c] = [0, 1, 2].map(|i| keras["loss"][i].to_string());
    format!("first {}; {a} → {b} → {c}  accuracy {}", keras["first_loss"], keras["accuracy"])
}

#[test]
#[ignore = "minutes; it trains every program"]
fn every_program_runs() {
    for program in chosen() {
        println!("{} {:?}\n  Keras: {}", program.id, program.faults(), keras(&program.facts));
        for seed in seeds() {
            let start = Instant::now();
            let outcome = run(&program, seed);
            println!("  seed {seed}: {} ({:.1} s)", line(&outcome), start.elapsed().as_secs_f64());
            assert!(
                !(program.is_healthy() && !matches!(outcome.end, End::Trained(_))),
                "{} is healthy, and does not train",
                program.id
            );
        }
        if let Some(twin) = program.twin() {
            println!("  mended: {}", line(&run(&twin, 1)));
        }
    }
}
