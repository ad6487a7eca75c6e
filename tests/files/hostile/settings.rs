//! Settings that are malformed, or that name code to run.

use super::archives::whole;
use super::*;
use crate::roster;
use crate::zip::{Member, archive};

/// An intact file with other settings.
pub(super) fn with_config(text: &str) -> Vec<u8> {
    let [metadata, _, weights] = whole();
    archive(&[metadata, Member::stored("config.json", text.as_bytes()), weights])
}

/// Checks that an intact file with one changed word in its settings is refused.
#[track_caller]
fn changed(from: &str, to: &str, words: &str) {
    let [_, config, _] = whole();
    let text = String::from_utf8(config.bytes).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    refused(to, load(Format::Keras, &with_config(&text.replacen(from, to, 1))), words);
}

#[test]
fn malformed_settings_are_refused() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(1_000_000), close.repeat(1_000_000));
    for (what, text, words) in [
        ("nothing", String::new(), "config.json"),
        ("no object", "[]".into(), "expected a Sequential"),
        ("deep", deep("[", "]"), "recursion limit"),
        ("deep objects", deep("{\"a\":", "}"), "recursion limit"),
        ("twice", "{\"a\": 1, \"a\": 2}".into(), "`a` occurs twice"),
        ("a number too large", "{\"a\": 1e400}".into(), "number out of range"),
        ("NaN", "{\"a\": NaN}".into(), "expected value"),
        ("half a letter", "{\"a\": \"\\ud800\"}".into(), "unexpected end of hex escape"),
        ("no UTF-8", String::from_utf8_lossy(b"{\"a\": 1} x").into(), "trailing characters"),
    ] {
        refused(what, load(Format::Keras, &with_config(&text)), words);
    }
    let many = format!("[{}0]", "0,".repeat(2_000_000));
    refused("many", load(Format::Keras, &with_config(&many)), "");
    let named: Vec<String> = (0..300_000).map(|i| format!("\"{i}\":0")).collect();
    refused("many names", load(Format::Keras, &with_config(&format!("{{{}}}", named.join(",")))), "");
    let words = format!("[{}0]", "\"\\n\",".repeat(500_000));
    refused("many words", load(Format::Keras, &with_config(&words)), "");
    let layer = r#"{"module":"keras.layers","class_name":"Flatten","config":{"name":"f"}}"#;
    let layers = vec![layer; 100_000].join(",");
    let text = format!(r#"{{"module":"keras","class_name":"Sequential","config":{{"layers":[{layers}]}}}}"#);
    refused("many layers", load(Format::Keras, &with_config(&text)), "more memory");
    let mut nested = layer.to_string();
    for _ in 0..30 {
        nested = format!(
            r#"{{"module":"keras","class_name":"Sequential","config":{{"name":"s","layers":[{nested}]}}}}"#
        );
    }
    refused("nested", load(Format::Keras, &with_config(&nested)), "at most 16 models");
}

/// Layers whose settings are as few as possible take the most memory for each byte of the file.
#[test]
fn layers_of_few_settings_take_the_promised_memory() {
    for case in roster::layers::<f32>() {
        let text = case.model().to_json().unwrap();
        let mut model: serde_json::Value = serde_json::from_str(&text).unwrap();
        let config = model["config"].as_object_mut().unwrap();
        config.remove("build_input_shape");
        let mut layer = config["layers"].as_array_mut().unwrap().pop().unwrap();
        let mut with = |layers: Vec<serde_json::Value>| {
            model["config"]["layers"] = layers.into();
            model.to_string()
        };
        for name in ["registered_name", "build_config"] {
            layer.as_object_mut().unwrap().remove(name);
        }
        let names: Vec<String> = layer["config"].as_object().unwrap().keys().cloned().collect();
        for name in names {
            let mut less = layer.clone();
            less["config"].as_object_mut().unwrap().remove(&name);
            if Sequential::<f32>::from_json(&with(vec![less.clone()])).is_ok() {
                layer = less;
            }
        }
        let numbered = (0..2000).map(|number| {
            layer["config"]["name"] = number.to_string().into();
            layer.clone()
        });
        // The weights are those of another model.
        let text = with(numbered.collect());
        refused(case.layer.kind(), load(Format::Keras, &with_config(&text)), "");
    }
}

#[test]
fn code_in_settings_is_refused() {
    changed("\"class_name\":\"Dropout\"", "\"class_name\":\"Lambda\"", "whose code is never run");
    changed("\"class_name\":\"Dropout\"", "\"class_name\":\"TFSMLayer\"", "`TFSMLayer`");
    changed("\"class_name\":\"Dropout\"", "\"class_name\":\"TorchModuleWrapper\"", "`TorchModuleWrapper`");
    changed(
        "\"module\":\"keras.layers\",\"class_name\":\"Dropout\"",
        "\"module\":\"os\",\"class_name\":\"Dropout\"",
        "of the module `os`",
    );
    changed(
        "\"module\":\"keras.layers\",\"class_name\":\"Dropout\"",
        "\"module\":\"kerasx\",\"class_name\":\"Dropout\"",
        "of the module `kerasx`",
    );
    changed(
        "\"activation\":\"relu\"",
        "\"activation\":{\"class_name\":\"__lambda__\",\"config\":{\"value\":[\"4wIA\"]}}",
        "layers[1].config.activation",
    );
    changed("\"class_name\":\"MeanSquaredError\"", "\"class_name\":\"Function\"", "unknown loss `Function`");
    changed("\"class_name\":\"Adam\"", "\"class_name\":\"Eval\"", "unknown optimizer `Eval`");
}

#[test]
fn settings_of_absurd_size_are_refused() {
    changed("\"units\":4", "\"units\":-1", "layers[1].config.units");
    changed("\"units\":4", "\"units\":0", "at least 1");
    changed("\"units\":4", "\"units\":9223372036854775807", "too many elements");
    changed("\"units\":4", "\"units\":18446744073709551615", "layers[1].config.units");
    changed("\"units\":4", "\"units\":1000000000", "too many elements");
    changed("\"units\":4", "\"units\":5", "expected shape (6, 5), found (6, 4)");
    changed("\"units\":4", "\"units\":4.5", "layers[1].config.units");
    changed("\"units\":4", "\"units\":4,\"lora_rank\":2", "no such setting");
    changed("[null,6]", "[null,1099511627776]", "too many elements");
    changed("[null,6]", "[null,null]", "for samples of any length");
    changed("[null,6]", "[null,-6]", "batch shape");
    changed("\"rate\":0.1", "\"rate\":1.5", "rate");
    changed("\"name\":\"F1\"", "\"name\":\"dense\"", "both named `dense`");
    changed(
        "\"class_name\":\"Dropout\",\"config\":{",
        "\"class_name\":\"RepeatVector\",\"config\":{\"n\":1000000000,",
        "",
    );
    changed("\"beta_1\":0.9", "\"beta_1\":9.0", "beta_1");
}

#[test]
fn settings_of_a_wrong_type_do_not_panic() {
    let [_, config, _] = whole();
    let text = String::from_utf8(config.bytes).unwrap();
    // A value follows each colon: replace each by a value of every type.
    let places: Vec<usize> = text.match_indices("\":").map(|(place, _)| place + 2).collect();
    assert!(places.len() > 100);
    for start in places {
        let end = start + text[start..].find([',', '}', ']']).unwrap();
        for other in ["null", "true", "-1", "1e300", "\"x\"", "[]", "{}", "9223372036854775807"] {
            let changed = format!("{}{other}{}", &text[..start], &text[end..]);
            let _ = load(Format::Keras, &with_config(&changed));
        }
    }
}

#[test]
fn numbers_keep_every_bit() {
    // Found by fuzzing: numbers with many digits lost their last bits at each reading.
    let mut rng = Rng::new(1);
    for _ in 0..1000 {
        let stddev = f64::from_bits(1.5_f64.to_bits() ^ (rng.uniform() * 2_f64.powi(52)) as u64);
        let layer = Dense::new(2).kernel_initializer(Initializer::RandomNormal { mean: 0.0, stddev });
        let text = Sequential::<f32>::new().input([3]).add(layer).to_json().unwrap();
        assert!(text.contains(&format!("\"stddev\":{stddev}")), "{text}");
        assert_eq!(Sequential::<f32>::from_json(&text).unwrap().to_json().unwrap(), text);
    }
}
