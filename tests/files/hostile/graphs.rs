//! Models within models and functional models whose layers do not form a chain.

use super::settings::with_config;
use super::*;
use crate::zip::{Member, archive};

fn input(name: &str) -> String {
    format!(
        r#"{{"module":"keras.layers","class_name":"InputLayer","config":{{"batch_shape":[null,6],"name":"{name}"}},"name":"{name}","inbound_nodes":[]}}"#
    )
}

/// A tensor of this layer.
fn of(layer: &str) -> String {
    format!(
        r#"{{"class_name":"__keras_tensor__","config":{{"shape":[null,6],"dtype":"float32","keras_history":["{layer}",0,0]}}}}"#
    )
}

/// A layer of this kind that is applied to these arguments.
fn layer(kind: &str, name: &str, args: &str, kwargs: &str) -> String {
    format!(
        r#"{{"module":"keras.layers","class_name":"{kind}","config":{{"name":"{name}"}},"name":"{name}","inbound_nodes":[{{"args":[{args}],"kwargs":{{{kwargs}}}}}]}}"#
    )
}

fn relu(name: &str, from: &str) -> String {
    layer("ReLU", name, &of(from), "")
}

fn join(kind: &str, name: &str, from: [&str; 2]) -> String {
    layer(kind, name, &format!("[{},{}]", of(from[0]), of(from[1])), "")
}

fn functional(layers: &[String], inputs: &str, outputs: &str) -> String {
    let layers = layers.join(",");
    format!(
        r#"{{"module":"keras","class_name":"Functional","config":{{"name":"f","layers":[{layers}],"input_layers":{inputs},"output_layers":{outputs}}}}}"#
    )
}

fn of_chain(layers: &[String], last: &str) -> String {
    functional(layers, r#"["x",0,0]"#, &format!(r#"["{last}",0,0]"#))
}

/// Checks that a functional model of these layers and the input `x` is refused.
#[track_caller]
fn check(what: &str, layers: &[String], last: &str, words: &str) {
    let layers: Vec<String> = std::iter::once(input("x")).chain(layers.iter().cloned()).collect();
    refused(what, load(Format::Keras, &with_config(&of_chain(&layers, last))), words);
}

#[test]
fn graphs_that_are_no_chain_are_refused() {
    check("a cycle", &[relu("a", "b"), relu("b", "a")], "b", "a cycle through or before `a`");
    check("a loop", &[relu("a", "a")], "a", "a cycle");
    let loops = [relu("a", "x"), join("Add", "c", ["a", "d"]), relu("d", "c")];
    check("a cycle with an Add", &loops, "d", "a cycle");
    check("a missing layer", &[relu("a", "nowhere")], "a", "the name of a layer of the model");
    check("a missing output", &[relu("a", "x")], "nowhere", "config.output_layers`: expected the name");
    check("a name twice", &[relu("a", "x"), relu("a", "x")], "a", "`a`");
    check("a layer beside the chain", &[relu("a", "x"), relu("b", "x")], "b", "found `a` (ReLU) beside it");
    check("two inputs", &[input("y"), join("Add", "a", ["x", "y"])], "a", "also `y` (InputLayer)");
    let subtracted = [relu("a", "x"), join("Subtract", "c", ["a", "x"])];
    check("another merge", &subtracted, "c", "2 inputs of `c` (Subtract)");
    let three = format!("[{},{},{}]", of("x"), of("a"), of("x"));
    check("three inputs", &[relu("a", "x"), layer("Dot", "c", &three, "")], "c", "3 inputs of `c`");
    let axis = join("Concatenate", "c", ["x", "x"]).replace(r#""name":"c"}"#, r#""name":"c","axis":1}"#);
    check("another axis", &[axis], "c", "config.axis`: expected -1, the last axis, found 1");
    let part = [
        relu("a", "x"),
        relu("b", "a"),
        relu("c", "a"),
        layer("Add", "d", &format!("[{},{},{}]", of("b"), of("c"), of("x")), ""),
    ];
    check("a part of two branches", &part, "d", "two that overlap at this Add");
    let overlapping =
        [relu("a", "x"), relu("b", "a"), join("Add", "c", ["b", "x"]), join("Add", "d", ["c", "a"])];
    check("branches that overlap", &overlapping, "d", "two that overlap at this Add");
    check("no input", &[layer("ReLU", "a", "", "")], "a", "an input of the layer");
    check("an unknown layer", &[layer("Lambda", "a", &of("x"), "")], "a", "whose code is never run");
    check("an argument", &[layer("Dropout", "a", &of("x"), r#""training":true"#)], "a", "`training` = true");
    check("a constant", &[layer("Add", "a", &format!("{},1", of("x")), "")], "a", "the single output");
    let shared =
        relu("a", "x").replace(r#""inbound_nodes":["#, r#""inbound_nodes":[{"args":[],"kwargs":{}},"#);
    check("a shared layer", &[shared], "a", "found 2 applications");
    for history in ["[\"x\",1,0]", "[\"x\",0,7]", "[\"x\",-1,0]", "[\"x\"]", "7", "[\"x\",1e300,0]"] {
        let changed = relu("a", "x").replace("[\"x\",0,0]", history);
        check("an index out of range", &[changed], "a", "the single output of another layer");
    }
    for (inputs, outputs, words) in [
        (r#"[["x",0,0],["x",0,0]]"#, r#"["a",0,0]"#, "config.input_layers`: expected one input"),
        (r#"["x",0,0]"#, r#"[["a",0,0],["x",0,0]]"#, "config.output_layers`: expected one output"),
        (r#"["x",0,0]"#, r#"["a",9,0]"#, "expected one output"),
        ("null", r#"["a",0,0]"#, "expected one input"),
        (r#"["a",0,0]"#, r#"["a",0,0]"#, "also `x`"),
    ] {
        let text = functional(&[input("x"), relu("a", "x")], inputs, outputs);
        refused("ends", load(Format::Keras, &with_config(&text)), words);
    }
}

#[test]
fn deep_and_wide_graphs_end_in_time_and_memory() {
    // Each Add closes a branch that begins at the input: n residual connections within each other.
    let nested = |count: usize| {
        let mut layers = vec![input("x")];
        for i in 0..count {
            let before = if i == 0 { "x".to_string() } else { format!("add{}", i - 1) };
            layers.push(relu(&format!("r{i}"), &before));
            layers.push(join("Add", &format!("add{i}"), [&format!("r{i}"), "x"]));
        }
        of_chain(&layers, &format!("add{}", count - 1))
    };
    refused("1000 nested", load(Format::Keras, &with_config(&nested(1000))), "");
    // Many merges that all walk back along one long chain.
    let mut layers = vec![input("x"), relu("r0", "x")];
    layers.extend((1..2000).map(|i| relu(&format!("r{i}"), &format!("r{}", i - 1))));
    layers.extend((0..2000).map(|i| join("Add", &format!("a{i}"), ["r1999", &format!("r{i}")])));
    let ends: Vec<String> = (0..2000).map(|i| of(&format!("a{i}"))).collect();
    layers.push(layer("Add", "all", &format!("[{}]", ends.join(",")), ""));
    refused("tangled", load(Format::Keras, &with_config(&of_chain(&layers, "all"))), "two that overlap");
    refused("100 nested", load(Format::Keras, &with_config(&nested(100))), "residual connections within");
    // Reversed, so that each layer comes before the one that it takes.
    let mut layers: Vec<String> =
        (1..2000).rev().map(|i| relu(&format!("r{i}"), &format!("r{}", i - 1))).collect();
    layers.extend([relu("r0", "x"), input("x")]);
    refused("2000 layers", load(Format::Keras, &with_config(&of_chain(&layers, "r1999"))), "");
    let mut text = relu("a", "x");
    for i in 0..30 {
        let kind = if i % 2 == 0 { "Sequential" } else { "TimeDistributed" };
        let inner = if i % 2 == 0 { format!(r#""layers":[{text}]"#) } else { format!(r#""layer":{text}"#) };
        text = format!(r#"{{"module":"keras","class_name":"{kind}","config":{{"name":"n{i}",{inner}}}}}"#);
    }
    let text = format!(
        r#"{{"module":"keras","class_name":"Sequential","config":{{"name":"s","layers":[{text}]}}}}"#
    );
    refused("deep", load(Format::Keras, &with_config(&text)), "");
    // The same names in many inner models, and long ones.
    let inner = |name: &str, long: &str| {
        let layers: Vec<String> = (0..20).map(|i| relu(&format!("{long}{i}"), "x")).collect();
        format!(
            r#"{{"module":"keras","class_name":"Sequential","config":{{"name":"{name}","layers":[{}]}}}}"#,
            layers.join(",")
        )
    };
    for long in ["a".to_string(), "a".repeat(1000)] {
        let layers: Vec<String> = (0..20).map(|i| inner(&format!("m{i}"), &long)).collect();
        let text = format!(
            r#"{{"module":"keras","class_name":"Sequential","config":{{"name":"s","layers":[{},{}]}}}}"#,
            input("x"),
            layers.join(",")
        );
        refused("names", load(Format::Keras, &with_config(&text)), "");
    }
    let two = [inner("m", "a"), inner("m", "b")].join(",");
    let text =
        format!(r#"{{"module":"keras","class_name":"Sequential","config":{{"name":"s","layers":[{two}]}}}}"#);
    refused("two models of one name", load(Format::Keras, &with_config(&text)), "`m`");
}

/// A model whose file is a functional model.
fn residual() -> Vec<u8> {
    let mut model = Sequential::new()
        .seed(1)
        .input([6])
        .add(Residual::new().add(Dense::new(4)).add(Residual::new().add(Relu::new())).add(Dense::new(6)));
    model.compile(Adam::new(0.01), MeanSquaredError::new(), ()).unwrap();
    let path = file("keras");
    model.save(&path).unwrap();
    std::fs::read(&path).unwrap()
}

#[test]
fn damaged_functional_files_are_read_or_refused() {
    let bytes = residual();
    load(Format::Keras, &bytes).unwrap();
    let [metadata, config, weights] =
        ["metadata.json", "config.json", "model.weights.h5"].map(|name| archives::member(&bytes, name));
    let mut rng = Rng::new(4);
    for _ in 0..300 {
        let mut text = config.clone();
        let at = (rng.uniform() * text.len() as f64) as usize;
        text[at] = b" \"0[]{},:a9"[(rng.uniform() * 11.0) as usize];
        let members = [("metadata.json", &metadata), ("config.json", &text), ("model.weights.h5", &weights)];
        let whole = archive(&members.map(|(name, bytes)| Member::stored(name, bytes)));
        let _ = load(Format::Keras, &whole);
    }
}
