//! Findings as JSON: parsed by another parser, compared with the schema, and with the findings themselves.

use cornu::diagnosis::{Finding, Findings, Severity, explain};
use cornu::prelude::*;
use ndarray::{Array1, Array2};
use serde_json::{Value, json};

use crate::synthetic::faulty_network;

/// Checks a value against a schema: the keywords that `JSON_SCHEMA` has, and no others.
fn check(value: &Value, schema: &Value, root: &Value, at: &str) -> Result<(), String> {
    let kind = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() || number.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let refuse = |why: String| Err(format!("{at}: {why} in {value}"));
    for (keyword, wanted) in schema.as_object().expect("a schema is an object") {
        match &**keyword {
            "$schema" | "title" | "$defs" => {}
            "$ref" => {
                let path =
                    wanted.as_str().and_then(|path| path.strip_prefix('#')).expect("a local reference");
                check(value, root.pointer(path).expect("a known reference"), root, at)?;
            }
            "anyOf" => {
                let all = wanted.as_array().expect("a list");
                if all.iter().all(|schema| check(value, schema, root, at).is_err()) {
                    return refuse("none of the schemas".into());
                }
            }
            "const" if value != wanted => return refuse(format!("not {wanted}")),
            "enum" if !wanted.as_array().expect("a list").contains(value) => {
                return refuse(format!("not one of {wanted}"));
            }
            "const" | "enum" => {}
            "minimum" if value.as_f64() < wanted.as_f64() && !value.is_null() => {
                return refuse(format!("less than {wanted}"));
            }
            "minimum" => {}
            "type" => {
                let own = kind(value);
                let fits = |name: &Value| name == own || (name == "number" && own == "integer");
                let names = wanted.as_array().cloned().unwrap_or_else(|| vec![wanted.clone()]);
                if !names.iter().any(fits) {
                    return refuse(format!("{own} instead of {wanted}"));
                }
            }
            "required" => {
                for name in wanted.as_array().expect("a list") {
                    if value.get(name.as_str().expect("a name")).is_none() {
                        return refuse(format!("no {name}"));
                    }
                }
            }
            "additionalProperties" => {
                let known = schema["properties"].as_object().expect("properties");
                for name in value.as_object().into_iter().flat_map(|object| object.keys()) {
                    if !known.contains_key(name) {
                        return refuse(format!("{name} is not in the schema"));
                    }
                }
            }
            "properties" => {
                for (name, schema) in wanted.as_object().expect("properties") {
                    if let Some(value) = value.get(name) {
                        check(value, schema, root, &format!("{at}/{name}"))?;
                    }
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(item, wanted, root, &format!("{at}/{index}"))?;
                }
            }
            other => panic!("the test does not know the keyword {other}"),
        }
    }
    Ok(())
}

/// The document of these findings, which has the form of the schema and says what the findings say.
#[track_caller]
fn document(findings: &Findings) -> Value {
    let text = findings.to_json();
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let schema: Value = serde_json::from_str(Findings::JSON_SCHEMA).expect("JSON");
    check(&document, &schema, &schema, "").unwrap_or_else(|fault| panic!("{fault}\n{text}"));
    let list = document["findings"].as_array().expect("a list");
    assert_eq!(list.len(), findings.len());
    for (value, finding) in list.iter().zip(findings.iter()) {
        assert_eq!((&value["code"], &value["message"]), (&json!(finding.code), &json!(finding.title)));
        assert_eq!(value["severity"], finding.severity.to_string());
        assert_eq!(value["url"].is_string(), explain(&finding.code).is_some());
        assert_eq!(value["facts"], json!(finding.evidence));
        let numbers = value["evidence"].as_array().unwrap();
        assert_eq!(numbers.is_empty(), ["N0201", "X0002"].contains(&&*finding.code), "{value}");
        for (value, measured) in numbers.iter().zip(&finding.measurements) {
            assert_eq!((&value["name"], &value["unit"]), (&json!(measured.name), &json!(measured.unit)));
            assert_eq!(value["number"].as_f64(), Some(measured.value).filter(|number| number.is_finite()));
        }
        assert_eq!(value["trials"].as_array().map(Vec::len), Some(finding.trials.len()));
        for (value, suggestion) in value["suggestions"].as_array().unwrap().iter().zip(&finding.suggestions) {
            assert_eq!(value["text"], suggestion.text);
            assert_eq!(value["remedy"].is_string(), suggestion.remedy.is_some());
        }
    }
    document
}

/// The document's finding with this code.
#[track_caller]
fn of<'d>(document: &'d Value, code: &str) -> &'d Value {
    let all = document["findings"].as_array().unwrap();
    all.iter().find(|finding| finding["code"] == code).unwrap_or_else(|| panic!("no {code} in {document}"))
}

fn table(scale: f64) -> (Array2<f32>, Array1<usize>) {
    let y = Array1::from_shape_fn(120, |i| i % 3);
    let x = Array2::from_shape_fn((120, 6), |(i, j)| {
        (scale * (f64::from(u8::from(i % 3 == j % 3)) + ((i * 7 + j * 5) % 11) as f64 / 11.0)) as f32
    });
    (x, y)
}

fn quiet<'f>(epochs: usize) -> Fit<'f, f32> {
    Fit::new().epochs(epochs).batch_size(20).verbose(Verbose::Silent)
}

#[test]
fn findings_of_a_check_have_no_epoch() {
    let (x, y) = table(1e4);
    let document = document(&faulty_network().check(&x, &y).unwrap());
    assert_eq!(document["failed"], false);
    assert_eq!(of(&document, "N0202")["place"], json!({ "layers": ["F1"], "epoch": null, "step": null }));
    let edit = json!([{ "target": "layer", "layer": "output", "setter": "activation", "old": "relu", "new": "linear" }]);
    assert_eq!(of(&document, "N0103")["suggestions"][0]["edits"], edit);
    assert_eq!(of(&document, "N0202")["suggestions"][0]["remedy"], "normalize_inputs");
    assert_eq!(of(&document, "N0202")["suggestions"][0]["edits"], json!([]));
}

#[test]
fn findings_of_a_failed_training_have_places_and_trials() {
    let (x, y) = table(1e4);
    let fit = quiet(6).diagnose(Diagnose::Investigate);
    let history = faulty_network().fit(&x, &y, &fit).unwrap();
    let document = document(history.findings());
    assert_eq!(document["failed"], true, "{}", history.findings());
    // It holds in the first batch, before the first step.
    let place = &of(&document, "N0103")["place"];
    assert_eq!(place, &json!({ "layers": ["output", "softmax"], "epoch": 1, "step": 0 }));
    let last = document["findings"].as_array().unwrap().iter().map(|finding| &finding["place"]["step"]);
    assert_eq!(last.filter_map(Value::as_u64).max(), Some(36), "6 epochs of 6 steps: {document}");
    let trials = of(&document, "N0103")["trials"].as_array().unwrap();
    assert!(!trials.is_empty());
    let changes = |trial: &Value| trial["changes"].as_array().unwrap().clone();
    let edits = trials.iter().flat_map(changes).filter(|change| change["code"] == "N0103");
    assert!(edits.clone().count() > 0);
    edits.for_each(|change| assert_eq!(change["edits"][0]["new"], "linear", "{change}"));
    assert!(trials.iter().all(|trial| trial["loss"].get("after").is_some()));
}

#[test]
fn edits_name_the_optimizer_the_loss_and_the_settings_of_fit() {
    let (x, y) = table(1.0);
    let mut model = Sequential::new().seed(1).add(Dense::new(8)).add(Dense::new(3)).add(Softmax::new());
    model.compile(Sgd::new(0.0), SparseCategoricalCrossentropy::new(), ()).unwrap();
    let history = model.fit(&x, &y, &quiet(5)).unwrap();
    let document = document(history.findings());
    assert_eq!(
        of(&document, "N0112")["suggestions"][0]["edits"],
        json!([{ "target": "optimizer", "layer": null, "setter": "learning_rate", "old": 0.0, "new": 0.01 }])
    );
    let epochs = &of(&document, "N0113")["suggestions"][0]["edits"][0];
    assert_eq!(
        (&epochs["target"], &epochs["setter"], &epochs["old"]),
        (&json!("fit"), &json!("epochs"), &json!(5.0))
    );
    let hidden = &of(&document, "N0109")["suggestions"][0];
    assert_eq!(hidden["remedy"], "hidden_activations");
    assert_eq!(hidden["edits"][0]["new"], "relu");
    assert_eq!(
        hidden["edits"].as_array().map(Vec::len),
        Some(1),
        "the last layer keeps its logits: {hidden}"
    );

    let one_hot: Array2<f32> = to_categorical(&y, Some(3)).unwrap();
    let mut model = Sequential::new().seed(1).add(Dense::new(3).name("output"));
    model.compile(Sgd::new(0.01), MeanAbsoluteError::new(), ()).unwrap();
    let document = self::document(&model.check(&x, &one_hot).unwrap());
    let edits = &of(&document, "N0107")["suggestions"][0]["edits"];
    assert_eq!(edits[0]["new"], "categorical_crossentropy");
    assert_eq!((&edits[1]["layer"], &edits[1]["new"]), (&json!("output"), &json!("softmax")));
}

#[test]
fn users_findings_and_odd_numbers_have_the_form_of_the_schema() {
    let rule = |_: &cornu::diagnosis::Evidence| -> Vec<Finding> {
        let odd = Finding::new("X\"1\n", Severity::Note, "a \"quote\", a\ttab, an ü and a \u{1}");
        vec![
            odd.measured("share", f64::NAN, "%")
                .measured("rate", f64::INFINITY, "")
                .measured("rows", 3.0, "rows"),
        ]
    };
    let x = ndarray::array![[0.0], [1.0]];
    let mut model = Sequential::new().add(Dense::new(1));
    model.compile(Sgd::new(0.01), MeanSquaredError::new(), ()).unwrap();
    let history = model.fit(&x, &x, &quiet(1).rule(rule)).unwrap();
    let document = document(history.findings());
    let own = of(&document, "X\"1\n");
    assert_eq!(own["url"], Value::Null);
    assert_eq!(own["evidence"][0], json!({ "name": "share", "number": null, "unit": "%" }));
    assert_eq!(own["evidence"][2], json!({ "name": "rows", "number": 3.0, "unit": "rows" }));
}

#[test]
fn data_that_is_not_finite_and_no_findings_have_the_form_of_the_schema() {
    let mut x = table(1.0).0;
    x[[0, 0]] = f32::NAN;
    let document = document(&faulty_network().check(&x, &table(1.0).1).unwrap());
    assert_eq!(of(&document, "N0201")["severity"], "error");
    let none = self::document(&Findings::default());
    assert_eq!(none, json!({ "schema": 1, "failed": false, "findings": [] }));
}

/// The test's own check refuses what the schema does not allow.
#[test]
fn the_check_of_the_schema_refuses_other_forms() {
    let schema: Value = serde_json::from_str(Findings::JSON_SCHEMA).unwrap();
    let (x, y) = table(1e4);
    let document = document(&faulty_network().check(&x, &y).unwrap());
    let spoiled = |pointer: &str, value: Value| {
        let mut other = document.clone();
        *other.pointer_mut(pointer).unwrap() = value;
        assert!(check(&other, &schema, &schema, "").is_err(), "{pointer}");
    };
    spoiled("/schema", json!(2));
    spoiled("/findings/0/severity", json!("fatal"));
    spoiled("/findings/0/place/epoch", json!(0));
    spoiled("/findings/0/place", json!({ "layers": [], "epoch": 1, "step": 1, "row": 3 }));
    spoiled("/findings/0/suggestions", json!([{ "text": "stop" }]));
    spoiled("/findings/0/facts", json!([1]));
}
