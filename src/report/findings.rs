//! The findings: the verdict at the top of the page, and details below.

use minijinja::context;
use minijinja::value::Value;

use super::html::number;
use crate::diagnosis::{Finding, Findings, Remedy, RemedyTrial, explain};

/// Returns the values of the templates.
pub(super) fn context(findings: &Findings) -> Value {
    let roots: Vec<&Finding> = findings.roots().filter(findings.visible()).collect();
    let advised = findings.iter().flat_map(|finding| &finding.trials).find(|trial| trial.advised);
    let suggestion = roots.iter().find_map(|root| Some(root.suggestions.first()?.text.clone()));
    context! {
        failed => findings.failed,
        roots => roots.iter().map(|root| context_of_root(findings, root)).collect::<Vec<_>>(),
        advice => advised.map(|trial| advice(findings, trial)),
        suggestion => suggestion,
    }
}

/// Returns the recommended suggestions, and what they improve.
fn advice(findings: &Findings, trial: &RemedyTrial) -> Value {
    let suggestion = |(code, remedy): (&String, &Remedy)| {
        let all = &findings.of(code)?.suggestions;
        let tried = all.iter().find(|suggestion| suggestion.remedy.as_ref() == Some(remedy));
        Some(tried.or(all.first())?.text.clone())
    };
    let percent = |(from, to): (f64, f64)| format!("{:.1} % → {:.1} %", 100.0 * from, 100.0 * to);
    context! {
        suggestions => trial.codes.iter().zip(&trial.remedies).filter_map(suggestion).collect::<Vec<_>>(),
        steps => trial.steps,
        accuracy => trial.accuracy.map(percent),
        loss => losses(trial),
    }
}

/// Returns a root with its consequences.
fn context_of_root(findings: &Findings, root: &Finding) -> Value {
    let effects = findings.effects(root).map(|effect| {
        context! {
            severity => effect.severity.to_string(),
            code => effect.code.clone(),
            title => effect.title.clone(),
            line => effect.evidence.first().cloned(),
        }
    });
    let trials = root.trials.iter().map(|trial| {
        let accuracy = trial.accuracy.map(|(from, to)| format!("{} → {}", number(from), number(to)));
        context! {
            changes => trial.changes(),
            steps => trial.steps,
            loss => losses(trial),
            accuracy => accuracy.unwrap_or_default(),
            advised => trial.advised,
            learned => trial.learned,
        }
    });
    context! {
        severity => root.severity.to_string(),
        code => root.code.clone(),
        title => root.title.clone(),
        headline => capital(&root.title),
        place => root.place.clone(),
        evidence => root.evidence.clone(),
        effects => effects.collect::<Vec<_>>(),
        suggestions => root.suggestions.iter().map(|suggestion| suggestion.text.clone()).collect::<Vec<_>>(),
        trials => trials.collect::<Vec<_>>(),
        page => explain(&root.code).map(|page| Value::from_safe_string(super::markdown::rendered(page))),
    }
}

fn losses(trial: &RemedyTrial) -> String {
    let loss = |loss: Option<f64>| loss.map_or("diverged".into(), number);
    format!("{} → {}", loss(trial.loss.0), loss(trial.loss.1))
}

/// Capitalizes the first letter.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    first + chars.as_str()
}
