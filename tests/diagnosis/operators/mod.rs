//! A generated corpus: each fault operator applied to each healthy program.
//!
//! ```text
//! cargo test --release --test diagnosis -- --ignored --nocapture operators::faults
//! ```
//! `OPERATORS` selects programs and operators by a part of `program: operator`. The programs are split by a hash of their
//! names: the rules are developed on one half, and `OPERATORS_HELD_OUT=1` runs the other, which nobody looks at before the
//! end of a change. `OPERATORS_TRIALS` is the number of the three seeds whose suggestions are tested (1).
//!
//! # What counts
//! A fault counts if it does harm: the mean score of three seeds on fresh rows is worse than that of the healthy program
//! by more than the spread, or the score of the held-out rows differs from that of the fresh rows by more than it does
//! for the healthy program, beyond the spread. The spread is the largest minus the smallest value of either program, and
//! at least 0.05. So a fault that shows with one seed out of three does not count. It is clear if it takes more than half
//! of the healthy score, and mild otherwise.
//!
//! A program counts as fixed if the recommended changes, applied to all of it, bring it to nine tenths of the healthy
//! program's score with the same seed, in at most twenty times as many epochs. Only faults count that an edit repairs, and
//! runs with a score below that.

mod data;
mod faults;
mod follow;
mod healthy_programs;
mod program;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crate::corpus::judge::{Said, Tally};
use cornu::diagnosis::{Code, Diagnose, Remedy};
use faults::Operator;
use healthy_programs::Entry;
use program::Program;

const SEEDS: std::ops::RangeInclusive<u64> = 1..=3;

/// The smallest difference of scores that counts.
const LEAST: f64 = 0.05;

struct Outcome {
    /// The score on fresh rows; 0 if the crate refused to train.
    score: f64,
    /// The difference of the score on the held-out rows, if the program validates.
    overstated: f64,
    said: Said,
}

fn run(program: &Program) -> Outcome {
    let train = || {
        program.with_fit(|mut model, x, y, fit| {
            let history = model.fit(x, y, &fit)?;
            Ok((Said::by(history.findings()), model))
        })
    };
    let Ok(trained) = catch_unwind(AssertUnwindSafe(train)) else {
        let said = Said { notes: vec!["PANIC".into()], ..Said::default() };
        return Outcome { score: 0.0, overstated: 0.0, said };
    };
    match trained {
        Ok((said, model)) => {
            let score = program.score(&model, &program.test);
            let held = if program.validates { program.score(&model, &program.held) } else { score };
            Outcome { score, overstated: held - score, said }
        }
        Err(error) => Outcome { score: 0.0, overstated: 0.0, said: Said::by_error(&error) },
    }
}

fn runs(program: fn(u64) -> Program, operator: Option<&Operator>) -> Option<Vec<Outcome>> {
    let outcome = |seed| {
        let mut program = program(seed);
        if let Some(operator) = operator {
            (operator.apply)(&mut program)?;
        }
        Some(run(&program))
    };
    SEEDS.map(outcome).collect()
}

/// The mean of a number over the outcomes, and its spread.
fn mean(outcomes: &[Outcome], of: impl Fn(&Outcome) -> f64) -> (f64, f64) {
    let all: Vec<f64> = outcomes.iter().map(of).collect();
    let high = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let low = all.iter().copied().fold(f64::INFINITY, f64::min);
    (all.iter().sum::<f64>() / all.len() as f64, high - low)
}

/// The harm of a fault: `None` if it is within the spread, or else its share of the healthy score.
fn harm(healthy: &[Outcome], faulty: &[Outcome]) -> Option<f64> {
    let (score, spread) = mean(healthy, |outcome| outcome.score);
    let (own, own_spread) = mean(faulty, |outcome| outcome.score);
    let (gap, gap_spread) = mean(healthy, |outcome| outcome.overstated.abs());
    let (own_gap, own_gap_spread) = mean(faulty, |outcome| outcome.overstated.abs());
    let lost = (score - own, spread.max(own_spread));
    let misleads = (own_gap - gap, gap_spread.max(own_gap_spread));
    let harms = [lost, misleads].into_iter().filter(|(harm, spread)| *harm > spread.max(LEAST));
    harms.map(|(harm, _)| harm / score).reduce(f64::max)
}

/// The recommended changes of an investigation.
fn advised(program: &Program) -> Vec<Remedy> {
    let investigate = || {
        program.with_fit(|model, x, y, fit| {
            let findings = model.investigate(x, y, &fit.diagnose(Diagnose::Report))?;
            let mut trials = findings.iter().flat_map(|finding| &finding.trials);
            Ok(trials.find(|trial| trial.advised).map(|trial| trial.remedies.clone()))
        })
    };
    let found = catch_unwind(AssertUnwindSafe(investigate));
    found.ok().and_then(Result::ok).flatten().unwrap_or_default()
}

const FOUND: &str = "a fault is found";
const NAMED: &str = "the first finding names a true cause";
const FIXED: &str = "the advised change fixes it";
const QUIET: &str = "healthy runs without an alarm";

/// The sums, by operator and in all.
#[derive(Default)]
struct Report {
    all: Tally,
    runs: usize,
    by_operator: BTreeMap<&'static str, Tally>,
    /// Code of the wrong first finding: operators.
    wrong: BTreeMap<String, BTreeMap<&'static str, usize>>,
    harmless: Vec<String>,
}

impl Report {
    fn count(&mut self, operator: &Operator, strength: &str, what: &str, hit: bool) {
        self.all.count(&format!("{strength}: {what}"), hit);
        self.by_operator.entry(operator.name).or_default().count(what, hit);
    }

    fn print(&self) {
        println!("\n| operator | found | first finding is a true cause | fixed |\n|---|---|---|---|");
        for (name, tally) in &self.by_operator {
            let [found, named, fixed] = [FOUND, NAMED, FIXED].map(|what| tally.text(what));
            println!("| {name} | {found} | {named} | {fixed} |");
        }
        println!("\nWrong first findings:");
        for (code, operators) in &self.wrong {
            println!("{code}: {operators:?}");
        }
        println!("\nFaults without harm, which do not count:\n{}", self.harmless.join("\n"));
        println!("\n{} trainings\n\n| what | runs | share |\n|---|---|---|", self.runs);
        self.all.print();
    }
}

/// Runs all operators on a program.
fn judge(entry: &Entry, trials: u64, part: &str, report: &mut Report) {
    let start = Instant::now();
    let healthy = runs(entry.of, None).expect("a program");
    let (score, spread) = mean(&healthy, |outcome| outcome.score);
    println!("\n{}: score {score:.3}, spread {spread:.3}", entry.name);
    for (seed, outcome) in SEEDS.zip(&healthy) {
        report.all.count(QUIET, outcome.said.alarms.is_empty());
        if !outcome.said.alarms.is_empty() {
            println!("  ALARM seed {seed}: {:?}", outcome.said.alarms);
        }
    }
    let selected = |operator: &&Operator| format!("{}: {}", entry.name, operator.name).contains(part);
    for operator in faults::all().filter(selected) {
        let Some(faulty) = runs(entry.of, Some(operator)) else { continue };
        report.runs += faulty.len();
        let Some(harm) = harm(&healthy, &faulty) else {
            let (own, _) = mean(&faulty, |outcome| outcome.score);
            report.harmless.push(format!("{}: {} ({score:.3}, {own:.3})", entry.name, operator.name));
            continue;
        };
        let strength = if harm > 0.5 { "clear" } else { "mild" };
        let line = |what: &str, seed: u64, more: &str| {
            println!("  {what} {}, seed {seed} ({strength}){more}", operator.name);
        };
        for ((seed, outcome), reference) in SEEDS.zip(&faulty).zip(&healthy) {
            let Said { alarms, notes, first } = &outcome.said;
            let is_found = !alarms.is_empty();
            let is_named = first.as_ref().is_some_and(|code| operator.causes.contains(&code.as_str()));
            report.count(operator, strength, FOUND, is_found);
            report.count(operator, strength, NAMED, is_named);
            let scores = format!("; score {:.3} of {:.3}", outcome.score, reference.score);
            let expected = operator.causes;
            match first {
                _ if !is_found => line("MISS", seed, &format!("{scores}; notes {notes:?}")),
                Some(first) if !is_named => {
                    *report.wrong.entry(first.clone()).or_default().entry(operator.name).or_default() += 1;
                    line("WRONG", seed, &format!("{scores}; {alarms:?}, expected one of {expected:?}"));
                }
                _ => {}
            }
            let can_be_tried = operator.is_repairable && seed <= trials && reference.score > 0.1;
            if can_be_tried && outcome.score < 0.9 * reference.score {
                let mut program = (entry.of)(seed);
                (operator.apply)(&mut program);
                let remedies = advised(&program);
                let reached = follow::follow(&program, &remedies).map_or(0.0, |mut fixed| {
                    fixed.epochs = fixed.epochs.min(20 * (entry.of)(seed).epochs);
                    run(&fixed).score
                });
                let is_fixed = reached >= 0.9 * reference.score;
                report.count(operator, strength, FIXED, is_fixed);
                if !is_fixed {
                    line("NOT FIXED", seed, &format!("{scores}, {reached:.3} with {remedies:?}; {alarms:?}"));
                }
            }
        }
    }
    println!("  {:.0} s", start.elapsed().as_secs_f64());
}

#[test]
#[ignore = "takes minutes: trains one half of the programs with each fault and three seeds"]
fn faults_of_operators_are_found() {
    let held_out = std::env::var_os("OPERATORS_HELD_OUT").is_some();
    let trials = std::env::var("OPERATORS_TRIALS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(1);
    let part = std::env::var("OPERATORS").unwrap_or_default();
    let mut report = Report::default();
    let in_half = |entry: &&Entry| entry.is_held_out() == held_out;
    let concerned = |entry: &&Entry| {
        faults::all().any(|operator| format!("{}: {}", entry.name, operator.name).contains(&part))
    };
    for entry in healthy_programs::ALL.iter().filter(in_half).filter(concerned) {
        judge(entry, trials, &part, &mut report);
    }
    report.print();
}

/// The operators of the short test; each harms its program, and the first finding names it.
const CERTAIN: [&str; 6] = [
    "softmax over one output",
    "all weights zero",
    "rate ÷ 1000",
    "inputs in hundred thousands",
    "every row a copy of the first",
    "all labels of one class",
];

#[test]
fn clear_faults_of_operators_are_named() {
    let entry = healthy_programs::ALL.iter().find(|entry| entry.name == "tumours, yes or no");
    let entry = entry.expect("a visible program");
    assert!(!entry.is_held_out());
    let healthy = run(&(entry.of)(1));
    assert!(healthy.score > 0.8, "{}", healthy.score);
    assert_eq!(healthy.said.alarms, [""; 0]);
    for operator in faults::all().filter(|operator| CERTAIN.contains(&operator.name)) {
        let mut program = (entry.of)(1);
        (operator.apply)(&mut program).expect("a fault of this program");
        let Outcome { score, said, .. } = run(&program);
        assert!(score < healthy.score - LEAST, "{}: {score}", operator.name);
        let first = said.first.unwrap_or_default();
        assert!(operator.causes.contains(&&*first), "{}: {:?}", operator.name, said.alarms);
    }
}

/// Without the diagnosis, so that it says nothing about the held-out half.
#[test]
fn every_program_learns() {
    for entry in healthy_programs::ALL {
        let program = (entry.of)(1);
        let trained = program.with_fit(|mut model, x, y, fit| {
            model.fit(x, y, &fit.diagnose(Diagnose::Off))?;
            Ok(program.score(&model, &program.test))
        });
        let score = trained.expect("a training");
        assert!(score > 0.25, "{}: {score}", entry.name);
    }
}

#[test]
fn operators_and_programs_are_complete() {
    let operators: Vec<&Operator> = faults::all().collect();
    let programs: Vec<Program> = healthy_programs::ALL.iter().map(|entry| (entry.of)(1)).collect();
    assert!(operators.len() >= 30 && programs.len() >= 15);
    for (place, operator) in operators.iter().enumerate() {
        assert!(operators[..place].iter().all(|other| other.name != operator.name), "{}", operator.name);
        for cause in operator.causes {
            assert!(Code::ALL.iter().any(|code| code.as_str() == *cause), "{}: {cause}", operator.name);
        }
        let applies = programs.iter().filter(|program| (operator.apply)(&mut (*program).clone()).is_some());
        assert!(applies.count() > 0, "{} fits no program", operator.name);
    }
    for (entry, program) in healthy_programs::ALL.iter().zip(&programs) {
        assert!(program.model().is_ok(), "{}", entry.name);
    }
    for name in CERTAIN {
        assert!(operators.iter().any(|operator| operator.name == name), "{name}");
    }
}
