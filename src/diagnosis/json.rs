//! Findings as JSON, for editors and coding agents.

use serde_json::{Value, json};

use super::codes::Code;
use super::edit::{SettingEdit, SettingValue};
use super::finding::{Finding, RemedyTrial};
use super::findings::Findings;
use super::remedy::Remedy;

impl Findings {
    /// The [JSON Schema](https://json-schema.org) of [`to_json`](Self::to_json).
    ///
    /// # Example
    /// ```
    /// let schema: serde_json::Value = serde_json::from_str(cornu::diagnosis::Findings::JSON_SCHEMA)?;
    /// assert_eq!(schema["properties"]["schema"]["const"], 1);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub const JSON_SCHEMA: &str = include_str!("findings.schema.json");

    /// Returns all findings as JSON, for editors and coding agents. Root causes are first.
    ///
    /// The names of the fields are stable; `schema` changes if one of them changes its meaning. Numbers that are not finite are
    /// `null`. [`JSON_SCHEMA`](Self::JSON_SCHEMA) describes the form exactly:
    ///
    /// | field of the document | value |
    /// |---|---|
    /// | `schema` | 1, the version of this form |
    /// | `failed` | whether the training failed |
    /// | `findings` | the findings |
    ///
    /// | field of a finding | value |
    /// |---|---|
    /// | `code`, `severity`, `message` | such as `N0202`; `error`, `warning` or `note`; the fault in one line |
    /// | `url` | the address of its page, or `null` for a user's own code |
    /// | `place` | `layers`, the paths of the layers; `epoch` from 1 and `step`, both `null` before a training |
    /// | `causes` | the codes of the findings that explain it; empty for a root cause |
    /// | `facts` | the evidence in sentences |
    /// | `evidence` | the measured numbers: `name`, `number`, and `unit`, which is null for a number without one |
    /// | `suggestions` | `text`; `remedy`, the kind of edit that a trial can apply, or `null`; `edits`, the settings that it changes |
    /// | `trials` | `changes`, each with `code`, `remedy` and `edits`; `steps`; `loss` and `accuracy`, `before` and `after` the changes; `skill`; `gain`, the 90 % confidence interval of the gain in skill, or `null`; `necessary`, for each change whether the skill falls without it; `learned` and `advised` |
    ///
    /// An edit has `target` (`layer`, `optimizer`, `compile` or `fit`), `layer` (its path, or `null`), `setter`, `old` (`null` if
    /// unknown) and `new`.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// use serde_json::json;
    /// let mut model = Sequential::new().input([2]).add(Dense::new(1).activation(Activation::Softmax).name("output"));
    /// model.compile(Sgd::new(0.01), BinaryCrossentropy::new(), ())?;
    /// let findings = model.check(&ndarray::array![[0.0, 1.0], [1.0, 0.0]], &ndarray::array![0, 1])?;
    /// let document: serde_json::Value = serde_json::from_str(&findings.to_json()).map_err(Error::outside)?;
    /// let finding = &document["findings"][0];
    /// assert_eq!((&finding["code"], &finding["severity"]), (&json!("N0101"), &json!("error")));
    /// assert_eq!(finding["place"], json!({ "layers": ["output"], "epoch": null, "step": null }));
    /// assert_eq!(
    ///     finding["suggestions"][0]["edits"],
    ///     json!([{ "target": "layer", "layer": "output", "setter": "activation", "old": "softmax", "new": "sigmoid" }]),
    /// );
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn to_json(&self) -> String {
        let findings: Vec<Value> = self.iter().map(finding).collect();
        json!({ "schema": 1, "failed": self.failed, "findings": findings }).to_string()
    }
}

fn finding(finding: &Finding) -> Value {
    let evidence = finding
        .measurements
        .iter()
        .map(|measured| json!({ "name": measured.name, "number": measured.value, "unit": measured.unit }));
    let suggestions = finding.suggestions.iter().map(|suggestion| {
        json!({
            "text": suggestion.text,
            "remedy": suggestion.remedy.as_ref().map(Remedy::kind),
            "edits": edits(&suggestion.edits),
        })
    });
    json!({
        "code": finding.code,
        "severity": finding.severity.to_string(),
        "message": finding.title,
        "url": Code::known(&finding.code).map(Code::url),
        "place": { "layers": finding.layers, "epoch": finding.epoch, "step": finding.step },
        "causes": finding.causes,
        "facts": finding.evidence,
        "evidence": evidence.collect::<Vec<_>>(),
        "suggestions": suggestions.collect::<Vec<_>>(),
        "trials": finding.trials.iter().map(trial).collect::<Vec<_>>(),
    })
}

fn trial(trial: &RemedyTrial) -> Value {
    let changes = trial.codes.iter().enumerate().map(|(place, code)| {
        json!({
            "code": code,
            "remedy": trial.remedies.get(place).map(Remedy::kind),
            "edits": edits(trial.edits.get(place).map_or(&[], |edits| edits)),
        })
    });
    json!({
        "changes": changes.collect::<Vec<_>>(),
        "steps": trial.steps,
        "loss": { "before": trial.loss.0, "after": trial.loss.1 },
        "accuracy": trial.accuracy.map(|(before, after)| json!({ "before": before, "after": after })),
        "skill": trial.skill,
        "gain": trial.gain.map(|(low, high)| json!({ "low": low, "high": high })),
        "necessary": trial.necessary,
        "learned": trial.learned,
        "advised": trial.advised,
    })
}

fn edits(edits: &[SettingEdit]) -> Vec<Value> {
    let value = |value: &SettingValue| match value {
        SettingValue::Bool(value) => json!(value),
        SettingValue::Number(value) => json!(value),
        SettingValue::Text(value) => json!(value),
    };
    let edit = |edit: &SettingEdit| {
        json!({
            "target": edit.target.to_string(),
            "layer": edit.layer,
            "setter": edit.setter,
            "old": edit.old.as_ref().map(value),
            "new": value(&edit.new),
        })
    };
    edits.iter().map(edit).collect()
}
