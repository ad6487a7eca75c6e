//! Findings about padded sequences, masks that end, and recurrences of relu.

use crate::synthetic::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cornu::data::Buckets;
use cornu::diagnosis::{Evidence, Finding, Findings, Remedy, SettingValue, Severity};
use cornu::ndarray::{Array1, Array2, Array3, ArrayD, Axis, s};
use cornu::prelude::*;

/// 80 sequences of `words` to `words` + 9 of seven indices, filled with `padding` to `steps`.
fn texts(steps: usize, words: usize, padding: f32) -> ArrayD<f32> {
    let word = |i: usize, t: usize| (1 + (i * 3 + t * 5) % 7) as f32;
    let at = |(i, t)| if t < words + i % 10 { word(i, t) } else { padding };
    Array2::from_shape_fn((80, steps), at).into_dyn()
}

fn reversed(x: &ArrayD<f32>) -> ArrayD<f32> {
    let mut x = x.clone();
    x.invert_axis(Axis(1));
    x
}

/// The same numbers as vectors of two.
fn vectors(x: &ArrayD<f32>) -> ArrayD<f32> {
    let steps = x.len_of(Axis(1));
    Array3::from_shape_fn((80, steps, 2), |(i, t, k)| {
        let value = x[[i, t]];
        if value <= 0.0 { value } else { 0.1 * value * (k + 1) as f32 }
    })
    .into_dyn()
}

fn embedding(masked: bool) -> Sequential {
    Sequential::new().seed(1).add(Embedding::new(9, 4).mask_zero(masked).name("words"))
}

/// What a check finds, with two classes as targets.
fn found(model: Sequential, x: &ArrayD<f32>) -> Findings {
    let model = model.add(Dense::new(2).activation(SOFTMAX));
    let y = Array1::from_shape_fn(80, |i| i % 2);
    compiled(model, Adam::new(0.001), SparseCategoricalCrossentropy::new()).check(x, &y).expect("a check")
}

#[track_caller]
fn raises(code: &str, model: Sequential, x: &ArrayD<f32>, expected: Option<Severity>) {
    let findings = found(model, x);
    assert_eq!(findings.of(code).map(|finding| finding.severity), expected, "{findings:?}");
}

const WARNING: Option<Severity> = Some(Severity::Warning);

#[test]
fn padding_before_the_returned_state_is_reported() {
    let behind = texts(60, 10, 0.0);
    let lstm = || Lstm::new(4).name("lstm");
    raises("N0121", embedding(false).add(lstm()), &behind, WARNING);
    raises("N0121", embedding(false).add(Dropout::new(0.2)).add(Gru::new(4)), &behind, WARNING);
    let stacked = Lstm::new(4).return_sequences(true).name("first");
    raises("N0121", embedding(false).add(stacked).add(lstm()), &behind, WARNING);
    raises("N0121", embedding(false).add(Lstm::new(4).go_backwards(true)), &reversed(&behind), WARNING);
    raises("N0121", Sequential::new().seed(1).add(lstm()), &vectors(&behind), WARNING);
    // A mask of another value marks no padding, and one that ends before the layer does not reach it.
    let other = Sequential::new().seed(1).add(Masking::new(-1.0)).add(lstm());
    raises("N0121", other, &vectors(&behind), WARNING);
    let destroyed = embedding(true).add(Conv1D::new(4, 3).padding(Padding::Same)).add(lstm());
    raises("N0121", destroyed, &behind, WARNING);
}

#[test]
fn padding_that_does_no_harm_is_not_reported() {
    let behind = texts(60, 10, 0.0);
    let lstm = || Lstm::new(4);
    raises("N0121", embedding(true).add(lstm()), &behind, None);
    raises("N0121", embedding(false).add(lstm()), &reversed(&behind), None);
    raises("N0121", embedding(false).add(Lstm::new(4).go_backwards(true)), &behind, None);
    raises("N0121", embedding(false).add(Bidirectional::new(lstm())), &behind, None);
    let pooled = embedding(false).add(lstm().return_sequences(true)).add(GlobalMaxPooling1D::new());
    raises("N0121", pooled, &behind, None);
    raises("N0121", embedding(false).add(GlobalAveragePooling1D::new()), &behind, None);
    let masked = Sequential::new().seed(1).add(Masking::new(0.0)).add(lstm());
    raises("N0121", masked, &vectors(&behind), None);
    // −0.1 differs in `f32` and `f64`.
    let masked = Sequential::new().seed(1).add(Masking::new(-0.1)).add(lstm());
    raises("N0121", masked, &vectors(&texts(60, 10, -0.1)), None);
    // With fewer padded steps, the run decides.
    raises("N0121", embedding(false).add(lstm()), &texts(55, 10, 0.0), WARNING);
    raises("N0121", embedding(false).add(lstm()), &texts(54, 10, 0.0), Some(Severity::Note));
    raises("N0121", embedding(false).add(lstm()), &texts(35, 10, 0.0), Some(Severity::Note));
    raises("N0121", embedding(false).add(lstm()), &texts(34, 10, 0.0), None);
    // Many padded steps, and a small share of all.
    raises("N0121", embedding(false).add(lstm()), &texts(170, 120, 0.0), None);
    // Index 3 is also a word.
    raises("N0121", embedding(false).add(lstm()), &texts(60, 10, 3.0), None);
}

/// Most sequences of a sample are shorter than the longest, but each batch is padded only to the length of its bucket.
#[test]
fn sequences_in_buckets_are_not_reported() {
    let steps = |i: usize| if i.is_multiple_of(8) { 60 } else { 10 + i % 10 };
    let x: Vec<Vec<usize>> =
        (0..80).map(|i| (0..steps(i)).map(|t| 1 + (i * 3 + t * 5) % 7).collect()).collect();
    let y = Array1::from_shape_fn(80, |i| i % 2);
    let model = embedding(false).add(Lstm::new(4)).add(Dense::new(2).activation(SOFTMAX));
    let mut model = compiled(model, Adam::new(0.001), SparseCategoricalCrossentropy::new());
    let source = Buckets::<f32>::new(&x, &y).expect("a source");
    let findings = model.fit_source(&source, &fit(1)).expect("a training").findings().clone();
    assert!(findings.of("N0121").is_none(), "{findings:?}");
}

#[test]
fn the_remedy_marks_the_padding() {
    let behind = texts(60, 10, 0.0);
    let findings = found(embedding(false).add(Lstm::new(4).name("lstm")), &behind);
    let finding = findings.of("N0121").expect("padding");
    assert_eq!(finding.layers, ["lstm"]);
    assert!(
        finding.evidence[0].contains("80 of 80 sampled sequences end with index 0, which is 75.83 %"),
        "{finding}"
    );
    assert_eq!(finding.suggestions[0].remedy, Some(Remedy::MaskZero { layer: 0 }));
    let edit = &finding.suggestions[0].edits[0];
    assert_eq!((edit.layer.as_deref(), &*edit.setter), (Some("words"), "mask_zero"));
    assert_eq!(edit.new, SettingValue::Bool(true));
    let remedy = |model: Sequential, x: &ArrayD<f32>| {
        found(model, x).of("N0121").and_then(|finding| finding.suggestions[0].remedy.clone())
    };
    let numbers = || Sequential::new().seed(1).add(Lstm::new(4));
    assert_eq!(remedy(numbers(), &vectors(&behind)), Some(Remedy::Masking(0.0)));
    assert_eq!(remedy(numbers(), &vectors(&texts(60, 10, -1.0))), Some(Remedy::Masking(-1.0)));
    assert_eq!(remedy(numbers(), &vectors(&texts(60, 10, -0.1))), Some(Remedy::Masking(-0.1)));
    let finding = found(numbers(), &vectors(&texts(60, 10, -0.1))).of("N0121").cloned().expect("padding");
    assert_eq!(finding.suggestions[0].text, "add `Masking::new(-0.1)` as the first layer");
    // Only an embedding has `mask_zero`.
    let encoded = Sequential::new().seed(1).add(CategoryEncoding::new(9).output_mode(OutputMode::OneHot));
    let finding = found(encoded.add(Lstm::new(4)), &behind).of("N0121").cloned().expect("padding");
    let suggestion = "replace `category_encoding` by an `Embedding` with `.mask_zero(true)`";
    assert_eq!((&*finding.suggestions[0].text, &finding.suggestions[0].remedy), (suggestion, &None));
    // Index 8 cannot be masked, nor can a mask pass the convolution.
    assert_eq!(remedy(embedding(false).add(Lstm::new(4)), &texts(60, 10, 8.0)), None);
    let conv = Conv1D::new(4, 3).padding(Padding::Same);
    assert_eq!(remedy(embedding(false).add(conv).add(Lstm::new(4)), &behind), None);
}

#[test]
fn trials_mark_the_padding() {
    let mut rng = rng(1);
    let y = Array1::from_shape_fn(400, |i| i % 2);
    let x = Array2::from_shape_fn((400, 60), |(i, t)| {
        let word = (4.0 * rng.uniform()).floor() + if y[i] == 1 { 3.0 } else { 1.0 };
        if t < 8 + i % 9 { word as f32 } else { 0.0 }
    });
    let run = |model: Sequential, x: ArrayD<f32>| {
        let model = model.add(Lstm::new(8)).add(Dense::new(2).activation(SOFTMAX));
        let model = compiled(model, Adam::new(0.005), SparseCategoricalCrossentropy::new());
        model.investigate(&x, &y, &fit(8)).expect("an investigation")
    };
    let numbers = x.slice(s![.., .., cornu::ndarray::NewAxis]).mapv(|x| 0.2 * x).into_dyn();
    for (model, x) in [(embedding(false), x.into_dyn()), (Sequential::new().seed(1), numbers)] {
        let findings = run(model, x);
        assert_eq!(findings[0].code, "N0121", "{findings}");
        assert!(findings[0].trials.iter().any(|trial| trial.advised), "{findings}");
    }
}

/// Texts of 10 to 30 words with this median number of padded steps behind. One word in seven is from the half of its class.
fn padded_texts(padded: usize) -> (ArrayD<f32>, Array1<usize>) {
    let mut rng = rng(1);
    let y = Array1::from_shape_fn(3000, |_| usize::from(rng.uniform() < 0.5));
    let x = Array2::from_shape_fn((3000, 20 + padded), |(i, t)| {
        let word = match 7.0 * rng.uniform() {
            part if part < 1.0 => 1.0 + 20.0 * y[i] as f64 + 20.0 * part,
            _ => 41.0 + 959.0 * rng.uniform().powi(3),
        };
        if t < 10 + i % 21 { word.floor() as f32 } else { 0.0 }
    });
    (x.into_dyn(), y)
}

#[test]
#[ignore = "prints the table of N0121's page"]
fn table_of_the_page() {
    println!("| layers | 20 | 30 | 50 | 90 |\n|---|---|---|---|---|");
    for (name, masked, is_gru) in [
        ("`Lstm`", false, false),
        ("`Gru`", false, true),
        ("mask, `Lstm`", true, false),
        ("mask, `Gru`", true, true),
    ] {
        let accuracy = |padded: usize| {
            let (x, y) = padded_texts(padded);
            let model = Sequential::new().seed(1).add(Embedding::new(1000, 16).mask_zero(masked));
            let model = if is_gru { model.add(Gru::new(16)) } else { model.add(Lstm::new(16)) };
            let mut model = model.add(Dense::new(1).activation(Sigmoid));
            model.compile(Adam::new(0.001), BinaryCrossentropy::new(), [Accuracy::new()]).expect("a model");
            let history = model.fit(&x, &y, &fit(10).validation_split(0.2)).expect("a training");
            format!("{:.2}", history.last("accuracy").expect("an accuracy"))
        };
        println!("| {name} | {} |", [20, 30, 50, 90].map(accuracy).join(" | "));
    }
}

#[test]
fn a_mask_that_no_layer_uses_is_reported() {
    let behind = texts(60, 10, 0.0);
    let conv = || Conv1D::new(4, 3).padding(Padding::Same).name("conv");
    raises("N0122", embedding(true).add(conv()).add(Lstm::new(4)), &behind, WARNING);
    let note = Some(Severity::Note);
    raises("N0122", embedding(true).add(conv()).add(Lstm::new(4)), &reversed(&behind), note);
    raises("N0122", embedding(true).add(conv()).add(GlobalAveragePooling1D::new()), &behind, note);
    raises("N0122", embedding(true).add(Flatten::new()), &behind, note);
    raises("N0122", embedding(true).add(conv()).add(GlobalMaxPooling1D::new()), &behind, note);
    let masking = || Sequential::new().seed(1).add(Masking::new(0.0));
    raises("N0122", masking().add(MaxPooling1D::new(2)).add(Gru::new(4)), &vectors(&behind), note);
    let findings = found(embedding(true).add(Dropout::new(0.1)).add(conv()).add(Lstm::new(4)), &behind);
    let finding = findings.of("N0122").expect("a mask that ends");
    assert_eq!(finding.layers, ["words", "conv"], "{finding}");
}

#[test]
fn a_mask_that_is_used_is_not_reported() {
    let behind = texts(60, 10, 0.0);
    raises("N0122", embedding(true).add(Lstm::new(4)), &behind, None);
    raises("N0122", embedding(true).add(Dense::new(4)).add(GlobalAveragePooling1D::new()), &behind, None);
    let sequences = Lstm::new(4).return_sequences(true);
    raises("N0122", embedding(true).add(sequences).add(Flatten::new()), &behind, None);
    raises("N0122", embedding(false).add(Flatten::new()), &behind, None);
    // The loss uses it.
    let model = embedding(true).add(Dense::new(2).activation(SOFTMAX));
    let model = compiled(model, Adam::new(0.001), SparseCategoricalCrossentropy::new());
    let steps = behind.mapv(|word| usize::from(word > 3.0));
    assert!(model.check(&behind, &steps).expect("a check").of("N0122").is_none());
}

/// The loss and the metrics leave padded steps out, so a constant for all steps is no baseline.
#[test]
fn masked_validation_steps_have_no_baseline_of_their_own() {
    let x = texts(20, 8, 0.0);
    let y = x.mapv(|word| usize::from(word > 3.0));
    let scales = |masked: bool| {
        let count = Arc::new(AtomicUsize::new(0));
        let seen = count.clone();
        let rule = move |e: &Evidence| -> Vec<Finding> {
            let scale = e.data.validation.as_ref().and_then(|part| part.scale);
            seen.fetch_add(usize::from(scale.is_some()), Ordering::Relaxed);
            Vec::new()
        };
        let model = embedding(masked).add(Dense::new(2).activation(SOFTMAX));
        let mut model = compiled(model, Adam::new(0.001), SparseCategoricalCrossentropy::new());
        model.fit(&x, &y, &fit(2).validation_data(&x, &y).rule(rule)).expect("a training");
        count.load(Ordering::Relaxed)
    };
    assert!(scales(false) > 0);
    assert_eq!(scales(true), 0);
}

#[test]
fn a_recurrence_of_relu_is_reported_if_its_states_explode_or_die() {
    let x = vectors(&texts(30, 30, 0.0));
    let relu = |gain: f64, bias: f64| {
        let cell = SimpleRnn::new(8).activation(RELU).bias_initializer(Initializer::Constant(bias));
        Sequential::new().seed(1).add(cell.recurrent_initializer(Initializer::Identity { gain }))
    };
    raises("N0110", relu(1.0, 0.0), &x, None);
    raises("N0110", relu(1.5, 0.0), &x, Some(Severity::Note));
    raises("N0110", relu(1.0, -9.0), &x, Some(Severity::Note));
}
