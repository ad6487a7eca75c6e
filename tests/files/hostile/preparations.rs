//! The preparations in a file: saved and loaded with the model, and refused by name if they are damaged.

use cornu::data::{IntegerLookup, Preparation, Split, Standardize, StringLookup, Tokenizer};

use super::archives::member;
use super::counts::with_metadata;
use super::*;
use crate::zip::{Member, archive};

const MEMBER: &str = "cornu_preparations.json";

/// A model with these preparations, as a file.
fn with(end: &str, preparations: &[(&str, Preparation)]) -> Vec<u8> {
    let (path, mut model) = (file(end), model());
    preparations.iter().for_each(|(name, preparation)| model.set_preparation(*name, preparation.clone()));
    model.save(&path).unwrap();
    std::fs::read(path).unwrap()
}

fn preparations() -> Vec<(&'static str, Preparation)> {
    let tokenizer = Tokenizer::new()
        .max_tokens(5)
        .standardize(Standardize::Lower)
        .split(Split::Character)
        .output_sequence_length(7)
        .padding(cornu::data::Side::Pre);
    vec![
        ("words", tokenizer.fit(&["b\u{1f600}a\"", "É\n"]).unwrap().into()),
        ("country", StringLookup::new().mask_token(String::new()).fit(["CH", "DE", "CH"]).unwrap().into()),
        ("code", IntegerLookup::new().num_oov_indices(0).mask_token(-9).fit(&[i64::MAX, -3]).unwrap().into()),
        ("class_name", LabelEncoder::fit(["b", "a"].map(String::from)).into()),
    ]
}

#[test]
fn preparations_are_saved_with_the_model() {
    for (format, end) in [(Format::Keras, "keras"), (Format::SafeTensors, "safetensors")] {
        let model = load(format, &with(end, &preparations())).unwrap();
        let found: Vec<_> = model.preparations().map(|(name, found)| (name, found.clone())).collect();
        assert_eq!(found, preparations(), "{end}");
        assert_eq!(load(format, &with(end, &[])).unwrap().preparations().count(), 0);
    }
    let mut model = model();
    model.set_preparation("words", LabelEncoder::fit(["a".to_string()]));
    model.set_preparation("words", StringLookup::new().fit(["a"]).unwrap());
    assert_eq!(model.preparations().map(|(_, found)| found.kind()).collect::<Vec<_>>(), ["StringLookup"]);
}

#[test]
fn preparations_that_could_not_be_loaded_are_not_saved() {
    let lookup = || StringLookup::new().fit(["a", "b"]).unwrap();
    let cases: [(Preparation, &str); 5] = [
        (Tokenizer::new().into(), "`vocabulary`: expected terms, by `fit` or `with_vocabulary`, found none"),
        (IntegerLookup::new().into(), "`vocabulary`: expected terms"),
        (lookup().max_tokens(2).into(), "`max_tokens`: expected at least 3"),
        (lookup().num_oov_indices(2).into(), "`num_oov_indices`: expected 0 or 1, found 2"),
        (lookup().mask_token("a".to_string()).into(), "`a` among the others"),
    ];
    for end in ["keras", "safetensors"] {
        for (preparation, words) in &cases {
            let (path, mut model) = (file(end), model());
            std::fs::write(&path, "before").unwrap();
            model.set_preparation("a", preparation.clone());
            let error = model.save(&path).unwrap_err().to_string();
            assert!(error.contains(words), "{end}: {error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "before", "{end}");
        }
    }
}

/// Checks that a file with this text instead of its preparations is refused, in either format.
#[track_caller]
fn changed(text: &str, words: &str) {
    let file = with("keras", &preparations());
    let members =
        ["metadata.json", "config.json", "model.weights.h5"].map(|name| (name, member(&file, name)));
    let mut members: Vec<Member> = members.iter().map(|(name, bytes)| Member::stored(name, bytes)).collect();
    members.insert(2, Member::stored(MEMBER, text.as_bytes()));
    refused(text, load(Format::Keras, &archive(&members)), words);
    let file = with("safetensors", &preparations());
    let file = with_metadata(&file, "cornu.preparations", |_| text.into());
    refused(text, load(Format::SafeTensors, &file), words);
}

#[test]
fn damaged_preparations_are_refused() {
    let of = |kind: &str, config: &str| {
        format!(r#"{{"a": {{"module": "cornu", "class_name": "{kind}", "config": {{{config}}}}}}}"#)
    };
    changed("{", "EOF");
    changed("[]", "expected an object of preparations");
    changed(r#"{"a": 3}"#, "a`: expected a preparation, found 3");
    changed(
        &of("Table", ""),
        "expected a Tokenizer, StringLookup, IntegerLookup or LabelEncoder, found Table",
    );
    changed(&of("Tokenizer", ""), "a.Tokenizer.vocabulary`: expected a list, found nothing");
    changed(&of("Tokenizer", r#""vocabulary": []"#), "a: vocabulary is empty");
    changed(
        &of("Tokenizer", r#""vocabulary": ["x", 3]"#),
        "a.Tokenizer.vocabulary[1]`: expected a text, found 3",
    );
    changed(&of("Tokenizer", r#""vocabulary": ["x"], "max_tokens": 2"#), "`max_tokens`: expected at least 3");
    changed(&of("Tokenizer", r#""vocabulary": ["x"], "mask_token": "x""#), "no such setting of `Tokenizer`");
    changed(&of("Tokenizer", r#""vocabulary": ["x"], "split": "word""#), "expected whitespace or character");
    changed(&of("StringLookup", r#""vocabulary": ["x", "y", "x"]"#), "distinct terms, found `x` twice");
    changed(&of("StringLookup", r#""vocabulary": ["x"], "num_oov_indices": 2"#), "expected 0 or 1, found 2");
    changed(&of("IntegerLookup", r#""vocabulary": [1.5]"#), "expected a whole number, found 1.5");
    changed(&of("LabelEncoder", r#""classes": ["b", "a"]"#), "distinct labels in sorted order");
}

#[test]
fn long_vocabularies_load_within_the_promised_memory() {
    for count in [10, 1000, 100_000] {
        let words: Vec<String> = (0..count).map(|i| format!("{i:x}")).collect();
        let numbers = StringLookup::new().with_vocabulary(words).unwrap();
        let codes = IntegerLookup::new().with_vocabulary(0..count).unwrap();
        for (format, end) in [(Format::Keras, "keras"), (Format::SafeTensors, "safetensors")] {
            let file = with(end, &[("a", numbers.clone().into()), ("b", codes.clone().into())]);
            assert_eq!(load(format, &file).unwrap().preparations().count(), 2);
        }
    }
}
