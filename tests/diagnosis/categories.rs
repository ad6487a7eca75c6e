//! Indices of categories that a network reads as numbers, and numbers that are whole.

use crate::healthy::integers::{self, Rows};
use crate::synthetic::*;
use cornu::diagnosis::{Finding, Findings, Severity};
use cornu::ndarray::{Array1, Array2, ArrayD, Axis, s};
use cornu::prelude::*;

const TOPICS: usize = 5;

/// Texts of 10 to 20 words out of 400, some of which are frequent, padded with 0; half of the words of a text are of its topic.
fn texts(seed: u64, rows: usize) -> (Array2<f32>, Array1<usize>) {
    let mut rng = rng(seed);
    let topics = Array1::from_shape_fn(400, |_| (TOPICS as f64 * rng.uniform()) as usize);
    let y = Array1::from_shape_fn(rows, |_| (TOPICS as f64 * rng.uniform()) as usize);
    let x = Array2::from_shape_fn((rows, 20), |(i, t)| {
        let mut word = || 400f64.powf(rng.uniform()) as usize;
        let (mut own, any) = (word(), (i * 7 + t) % 2 == 0);
        while !any && topics[own] != y[i] {
            own = word();
        }
        if t < 10 + i % 11 { own as f32 } else { 0.0 }
    });
    (x, y)
}

/// Four measurements and a column of `codes`, each with an effect of its own.
fn coded(seed: u64, codes: &[f32]) -> (Array2<f32>, Array1<f32>) {
    let mut rng = rng(seed);
    let effects: Vec<f64> = codes.iter().map(|_| 3.0 * rng.normal()).collect();
    let mut x = noise(seed, 600, 5);
    let y = x.rows_mut().into_iter().map(|mut row| {
        let code = (rng.uniform() * codes.len() as f64) as usize;
        row[4] = codes[code];
        (f64::from(0.7 * row[0] - 0.5 * row[1]) + effects[code] + 0.2 * rng.normal()) as f32
    });
    let y = y.collect();
    (x, y)
}

/// Fifty postal codes in no order.
fn postal(seed: u64) -> Vec<f32> {
    let mut rng = Rng::stream(seed, 11);
    (0..50).map(|_| (10_000.0 + 80_000.0 * rng.uniform()).floor() as f32).collect()
}

fn normalized(seed: u64, x: &Array2<f32>) -> Sequential {
    Sequential::new().seed(seed).add(Normalization::new().adapt(x).expect("features"))
}

fn classified(model: Sequential, x: &ArrayD<f32>, y: &Array1<usize>, epochs: usize) -> Findings {
    let model = model.add(Dense::new(TOPICS).activation(SOFTMAX));
    train(compiled(model, Adam::new(0.003), SparseCategoricalCrossentropy::new()), x, y, fit(epochs))
}

fn regressed(model: Sequential, x: &Array2<f32>, y: &Array1<f32>) -> Findings {
    let model = model.add(Dense::new(24).activation(RELU)).add(Dense::new(1));
    train(compiled(model, Adam::new(0.005), MeanSquaredError::new()), x, y, fit(30))
}

/// Programs with the fault, each with its findings.
fn faulty(seed: u64) -> Vec<(&'static str, Findings)> {
    let (x, y) = texts(seed, 600);
    let series = x.clone().insert_axis(Axis(2)).into_dyn();
    let step = x.clone().insert_axis(Axis(1)).into_dyn();
    let standardized = x.mapv(|word| (word - 40.0) / 75.0).into_dyn();
    let model = || Sequential::new().seed(seed);
    let convolved = model().add(Rescaling::new(0.0025)).add(Conv1D::new(16, 3).activation(RELU));
    let (codes, numbers) = coded(seed, &postal(seed));
    let mut scaled = codes.clone();
    scaled.column_mut(4).mapv_inplace(|code| (code - 50_000.0) / 20_000.0);
    let (ids, of_ids) = coded(seed, &(0..50).map(|id| id as f32).collect::<Vec<f32>>());
    vec![
        ("Lstm", classified(model().add(Lstm::new(16)), &series, &y, 10)),
        ("Dense", classified(model().add(Dense::new(32).activation(RELU)), &x.clone().into_dyn(), &y, 20)),
        ("Rescaling, Conv1D", classified(convolved.add(GlobalMaxPooling1D::new()), &series, &y, 15)),
        (
            "BatchNormalization, SimpleRnn",
            classified(model().add(BatchNormalization::new()).add(SimpleRnn::new(16)), &series, &y, 10),
        ),
        (
            "standardized, Dense",
            classified(model().add(Dense::new(32).activation(RELU)), &standardized, &y, 15),
        ),
        ("one step of words, Gru", classified(model().add(Gru::new(16)), &step, &y, 15)),
        ("postal codes", regressed(normalized(seed, &codes), &codes, &numbers)),
        ("postal codes, scaled", regressed(model(), &scaled, &numbers)),
        ("product numbers", regressed(normalized(seed, &ids), &ids, &of_ids)),
    ]
}

/// The same data read as categories.
fn fixed(seed: u64) -> Vec<(&'static str, Findings)> {
    let (x, y) = texts(seed, 600);
    let x = x.into_dyn();
    let embedded = || Sequential::new().seed(seed).add(Embedding::new(400, 8).mask_zero(true));
    let (codes, numbers) = coded(seed, &(0..50).map(|id| id as f32).collect::<Vec<f32>>());
    let mut one_hot = Array2::zeros((600, 54));
    one_hot.slice_mut(s![.., ..4]).assign(&codes.slice(s![.., ..4]));
    codes.column(4).iter().enumerate().for_each(|(i, code)| one_hot[[i, 4 + *code as usize]] = 1.0);
    vec![
        ("Embedding, Lstm", classified(embedded().add(Lstm::new(16)), &x, &y, 20)),
        ("Embedding, average", classified(embedded().add(GlobalAveragePooling1D::new()), &x, &y, 60)),
        ("one-hot columns", regressed(Sequential::new().seed(seed), &one_hot, &numbers)),
    ]
}

#[test]
fn indices_read_as_numbers_are_reported() {
    let mut missed = Vec::new();
    for seed in 1..=3 {
        for (name, findings) in faulty(seed) {
            let roots: Vec<&Finding> =
                findings.roots().filter(|finding| finding.severity > Severity::Note).collect();
            // A recurrent layer over one step is a fault of its own.
            if !roots.iter().any(|root| root.code == "N0123")
                || (roots[0].code != "N0123" && roots[0].code != "N0117")
            {
                missed.push(format!("{name}, seed {seed}:\n{findings}"));
            }
        }
    }
    assert!(missed.is_empty(), "{} missed\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn categories_that_are_read_as_such_raise_no_findings() {
    for seed in 1..=3 {
        for (name, findings) in fixed(seed) {
            assert_eq!(alarms(&findings), [""; 0], "{name}, seed {seed}: {findings}");
        }
    }
}

#[test]
fn the_finding_names_the_feature_and_the_layer() {
    let (x, y) = coded(1, &postal(1));
    let findings = regressed(normalized(1, &x), &x, &y);
    let finding = findings.of("N0123").expect("a category");
    assert_eq!(finding.layers, ["dense"], "{finding}");
    assert!(finding.evidence[0].starts_with("feature 4: 50 distinct values from "), "{finding}");
    assert!(finding.suggestions[0].text.starts_with("replace feature 4 by a one-hot vector"), "{finding}");
}

/// A network that learns nothing of them is no evidence that they are categories.
#[test]
fn whole_numbers_are_not_called_indices() {
    for (name, rows) in integers::ALL {
        for seed in 1..=5 {
            let model = Sequential::new().seed(seed);
            let findings = match rows(seed) {
                Rows::Numbers(x, y) => {
                    let model = model.add(Dense::new(8).activation(RELU)).add(Dense::new(1));
                    train(compiled(model, Adam::new(1e-6), MeanSquaredError::new()), &x, &y, fit(30))
                }
                Rows::Classes(x, y, classes) => {
                    let model = model
                        .add(Dense::new(8).activation(RELU))
                        .add(Dense::new(classes).activation(SOFTMAX));
                    let loss = SparseCategoricalCrossentropy::new();
                    train(compiled(model, Adam::new(1e-6), loss), &x, &y, fit(30))
                }
            };
            assert!(findings.of("N0123").is_none(), "{name}, seed {seed}: {findings}");
        }
    }
}

#[test]
#[ignore = "prints the table of N0123's page"]
fn table_of_the_page() {
    println!("| program | runs that raise it | error of the network | with categories |\n|---|---|---|---|");
    let runs: Vec<Vec<(&str, Findings)>> = (1..=5).map(faulty).collect();
    for (place, (name, _)) in runs[0].iter().enumerate() {
        let found: Vec<_> = runs.iter().filter_map(|run| run[place].1.of("N0123")).collect();
        let mean = |name: &str| {
            let values =
                found.iter().flat_map(|finding| &finding.measurements).filter(|own| own.name == name);
            values.map(|own| own.value).sum::<f64>() / found.len() as f64
        };
        let (network, categories) = (mean("error of the network"), mean("error with categories"));
        println!("| {name} | {} of {} | {network:.0} % | {categories:.0} % |", found.len(), runs.len());
    }
}
