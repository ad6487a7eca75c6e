//! Tokenizers, lookups and adapted bins against Keras (`tests/golden/text.py`).

use std::fmt::{Debug, Display};
use std::hash::Hash;

use cornu::config::Setting;
use cornu::data::{IntegerLookup, Split, Standardize, StringLookup, Tokenizer};
use cornu::ndarray::Array2;
use cornu::prelude::*;
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/text.json")).unwrap()
}

fn list<T: serde::de::DeserializeOwned>(value: &Value) -> Vec<T> {
    serde_json::from_value(value.clone()).unwrap()
}

fn count(value: &Value) -> Option<usize> {
    value.as_u64().map(|count| count as usize)
}

#[test]
fn tokenizers_are_those_of_keras() {
    let golden = golden();
    let (texts, new): (Vec<String>, Vec<String>) = (list(&golden["texts"]), list(&golden["new"]));
    let cases = golden["vectorizations"].as_array().unwrap();
    for case in cases {
        let word = cornu::config::Value::from(case["standardize"].as_str().unwrap());
        let mut tokenizer = Tokenizer::new().standardize(Standardize::from_value(&word, "").unwrap());
        if case["split"] == "character" {
            tokenizer = tokenizer.split(Split::Character);
        }
        if let Some(most) = count(&case["max_tokens"]) {
            tokenizer = tokenizer.max_tokens(most);
        }
        if let Some(len) = count(&case["output_sequence_length"]) {
            tokenizer = tokenizer.output_sequence_length(len);
        }
        let tokenizer = tokenizer.fit(&texts).unwrap();
        assert_eq!(tokenizer.vocabulary(), list::<String>(&case["vocabulary"]), "{tokenizer:?}");
        let encoded: Vec<Vec<usize>> = list(&case["encoded"]);
        let encoded = Array2::from_shape_vec((encoded.len(), encoded[0].len()), encoded.concat()).unwrap();
        assert_eq!(tokenizer.encode_padded(&new).unwrap(), encoded, "{tokenizer:?}");
    }
    assert_eq!(cases.len(), 8);
}

#[track_caller]
fn check<T>(case: &Value, lookup: cornu::data::Lookup<T>, values: &Value)
where
    T: cornu::data::Term + Debug + Display + Hash + serde::de::DeserializeOwned,
{
    let mut lookup = lookup;
    if let Some(most) = count(&case["max_tokens"]) {
        lookup = lookup.max_tokens(most);
    }
    if !case["mask_token"].is_null() {
        lookup = lookup.mask_token(serde_json::from_value::<T>(case["mask_token"].clone()).unwrap());
    }
    let lookup = lookup.num_oov_indices(count(&case["num_oov_indices"]).unwrap_or(1));
    let lookup = lookup.fit(&list::<T>(values)).unwrap();
    assert_eq!(lookup.vocabulary(), list::<T>(&case["vocabulary"]), "{case}");
    let encoded = lookup.encode(&list::<T>(&case["new"])).unwrap();
    assert_eq!(encoded.to_vec(), list::<usize>(&case["encoded"]), "{case}");
    assert_eq!(lookup.decode(0..lookup.vocabulary_size()).unwrap(), lookup.vocabulary());
}

#[test]
fn lookups_are_those_of_keras() {
    let golden = golden();
    let (strings, integers) = golden["lookups"].as_array().unwrap().split_at(5);
    strings.iter().for_each(|case| check(case, StringLookup::new(), &golden["words"]));
    integers.iter().for_each(|case| check(case, IntegerLookup::new(), &golden["numbers"]));
    assert_eq!(integers.len(), 5);
}

#[test]
fn adapted_bins_are_those_of_keras() {
    let golden = golden();
    let cases = golden["adapted"].as_array().unwrap();
    for case in cases {
        let x: Vec<Vec<f64>> = list(&case["x"]);
        let x = Array2::from_shape_vec((x.len(), x[0].len()), x.concat()).unwrap();
        let bins = count(&case["num_bins"]).unwrap();
        let layer = Discretization::num_bins(bins).epsilon(case["epsilon"].as_f64().unwrap_or(0.01));
        let (layer, expected) = (layer.adapt(&x).unwrap(), list::<f64>(&case["bin_boundaries"]));
        assert_eq!(layer.bin_boundaries(), expected, "{bins} bins of {:?}", x.dim());
    }
    assert_eq!(cases.len(), 8);
}
