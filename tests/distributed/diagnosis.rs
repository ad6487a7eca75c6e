//! The diagnosis of a training on several ranks: of the data and activations of all ranks, and of differences between
//! shards.

use cornu::diagnosis::Findings;
use cornu::distributed::{Communicator, threads};
use cornu::ndarray::{Array1, Array2, Axis, concatenate};
use cornu::prelude::*;

type Shard = (Array2<f32>, Array1<usize>);

/// Clusters around three points, `apart` standard deviations from each other; rows of class 0, 1, 2, 0 ...
fn clouds(rows: usize, apart: f64, seed: u64) -> Shard {
    let mut rng = Rng::stream(7, seed);
    let y = Array1::from_shape_fn(rows, |i| i % 3);
    let x = Array2::from_shape_fn((rows, 4), |(i, j)| {
        (rng.normal() + if j == y[i] { apart } else { 0.0 }) as f32
    });
    (x, y)
}

fn network(last: Activation) -> Sequential {
    let mut model = Sequential::new()
        .seed(2)
        .add(Dense::new(8).activation(Activation::Relu))
        .add(Dense::new(3).activation(last))
        .add(Softmax::new());
    model.compile(Adam::new(0.02), SparseCategoricalCrossentropy::new(), [Accuracy::new()]).unwrap();
    model
}

fn fit<'w>(epochs: usize) -> Fit<'w> {
    Fit::new().epochs(epochs).batch_size(30).verbose(Verbose::Silent)
}

/// The findings of rank 0 on these shards; the other ranks have none.
fn found(shards: &[Shard], model: impl Fn() -> Sequential + Sync, epochs: usize) -> Findings {
    let mut all = threads(shards.len(), |world| {
        let (x, y) = &shards[world.rank()];
        model().fit(x, y, &fit(epochs).sharded(world)).unwrap().findings().clone()
    });
    let first = all.remove(0);
    assert!(all.iter().all(|findings| findings.is_empty()));
    first
}

/// The findings of a single process on all shards.
fn alone(shards: &[Shard], model: impl Fn() -> Sequential, epochs: usize) -> Findings {
    let x: Vec<_> = shards.iter().map(|(x, _)| x.view()).collect();
    let y: Vec<_> = shards.iter().map(|(_, y)| y.view()).collect();
    let (x, y) = (concatenate(Axis(0), &x).unwrap(), concatenate(Axis(0), &y).unwrap());
    model().fit(&x, &y, &fit(epochs)).unwrap().findings().clone()
}

fn codes(findings: &Findings) -> Vec<&str> {
    findings.iter().map(|finding| &*finding.code).collect()
}

#[test]
fn a_rank_whose_inputs_have_another_scale_is_named() {
    for size in [2, 3, 4, 8] {
        for odd in 0..size {
            for change in [|x: f32| 255.0 * x, |x: f32| x / 100.0, |x: f32| x + 60.0] {
                let shards: Vec<Shard> = (0..size)
                    .map(|rank| {
                        let (x, y) = clouds(60, 2.0, rank as u64);
                        (if rank == odd { x.mapv(change) } else { x }, y)
                    })
                    .collect();
                let findings = found(&shards, || network(Activation::Linear), 2);
                let finding = findings.of("N0209").unwrap_or_else(|| panic!("{odd} of {size}: {findings}"));
                let title = format!("the inputs of rank {odd} have a different scale");
                // With two ranks, the diagnosis cannot know which one is right, only that they differ.
                assert!(finding.title == title || size == 2, "{}", finding.title);
                assert!(finding.evidence[0].contains("standard deviation"), "{finding:?}");
                let shown = findings.to_string();
                assert!(shown.contains("N0209") && shown.contains("adapt_distributed"), "{shown}");
            }
        }
    }
}

#[test]
fn shards_that_differ_only_in_class_counts_raise_no_findings() {
    for apart in [0.5, 2.0, 4.0] {
        for skewed in [false, true] {
            let shards: Vec<Shard> = (0..3)
                .map(|rank| {
                    let (x, y) = clouds(90, apart, rank as u64);
                    // Nine tenths of the rows on each rank have the same class.
                    let keep: Vec<usize> =
                        (0..90).filter(|i| !skewed || i % 3 == rank || i % 30 < 3).collect();
                    (x.select(Axis(0), &keep), y.select(Axis(0), &keep))
                })
                .collect();
            let findings = found(&shards, || network(Activation::Linear), 20);
            assert!(
                findings.of("N0209").is_none() && findings.of("N0210").is_none(),
                "{apart}: {findings:?}"
            );
            let alone = alone(&shards, || network(Activation::Linear), 20);
            assert_eq!(findings.of("N0204").is_some(), alone.of("N0204").is_some(), "classes of all ranks");
            assert_eq!(findings.failed_roots(), alone.failed_roots());
        }
    }
}

/// The codes in a report.
trait Roots {
    fn failed_roots(&self) -> Vec<String>;
}

impl Roots for Findings {
    fn failed_roots(&self) -> Vec<String> {
        self.roots()
            .filter(|f| f.severity > cornu::diagnosis::Severity::Note)
            .map(|f| f.code.to_string())
            .collect()
    }
}

#[test]
fn a_class_that_a_rank_lacks_is_named() {
    let shards: Vec<Shard> = (0..3)
        .map(|rank| {
            let (x, y) = clouds(120, 2.0, rank as u64);
            let keep: Vec<usize> = (0..120).filter(|i| rank != 1 || i % 3 != 2).collect();
            (x.select(Axis(0), &keep), y.select(Axis(0), &keep))
        })
        .collect();
    let findings = found(&shards, || network(Activation::Linear), 10);
    let finding = findings.of("N0210").unwrap();
    assert_eq!(finding.title, "rank 1 has no row of class 2");
    assert_eq!(finding.evidence, ["class 2: 0 of 80 rows on rank 1, 80 of 320 on all ranks"]);
    // It does not affect a training that learns, so it is reported only if the training fails.
    assert_eq!(finding.severity, cornu::diagnosis::Severity::Note);
    let noise: Vec<Shard> = shards
        .iter()
        .enumerate()
        .map(|(rank, (x, y))| (clouds(x.nrows(), 0.0, 9 + rank as u64).0, y.clone()))
        .collect();
    let findings = found(&noise, || network(Activation::Relu), 30);
    assert!(findings.of("N0210").unwrap().severity > cornu::diagnosis::Severity::Note, "{findings:?}");
    // A rank with few rows may lack a class by chance.
    let few: Vec<Shard> = [&shards[0], &shards[2]].into_iter().cloned().chain([clouds(2, 2.0, 5)]).collect();
    assert!(found(&few, || network(Activation::Linear), 3).of("N0210").is_none());
}

#[test]
fn a_unit_is_dead_only_if_it_is_dead_on_all_ranks() {
    // Rank 0 has only rows for which no unit is active; those of rank 1 activate all units.
    let shard = |sign: f32| {
        let x = Array2::from_shape_fn((90, 1), |(i, _)| sign * (0.1 + (i % 10) as f32 / 10.0));
        let y = Array1::from_shape_fn(90, |i| usize::from(i % 10 > 4));
        (x, y)
    };
    let model = |bias: f32| {
        move || {
            let mut model = Sequential::new()
                .seed(3)
                .input([1])
                .add(Dense::new(6).activation(Activation::Relu))
                .add(Dense::new(2))
                .add(Softmax::new());
            model.compile(Sgd::new(1e-3), SparseCategoricalCrossentropy::new(), ()).unwrap();
            model.set_weight("dense/kernel", &Array2::from_elem((1, 6), 0.7)).unwrap();
            model.set_weight("dense/bias", &Array1::from_elem(6, bias)).unwrap();
            model
        }
    };
    for shards in [[shard(-1.0), shard(1.0)], [shard(1.0), shard(-1.0)]] {
        let findings = found(&shards, model(0.0), 10);
        assert!(findings.of("N0404").is_none(), "{findings:?}");
        assert_eq!(
            codes(&findings).contains(&"N0303"),
            codes(&alone(&shards, model(0.0), 10)).contains(&"N0303")
        );
        let findings = found(&shards, model(-9.0), 10);
        assert!(findings.of("N0404").is_some(), "{findings:?}");
    }
}

#[test]
fn faults_are_found_even_if_rank_0_has_no_samples() {
    let empty = (Array2::zeros((0, 4)), Array1::zeros(0));
    let (x, y) = clouds(120, 2.0, 0);
    let wrong = [empty.clone(), (&x * 200.0, y.clone()), clouds(3, 2.0, 1)];
    let findings = found(&wrong[..2], || network(Activation::Relu), 20);
    assert!(findings.of("N0103").is_some() && findings.of("N0202").is_some(), "{findings:?}");
    let findings = found(&[empty, (x, y), clouds(60, 2.0, 1)], || network(Activation::Linear), 20);
    assert!(findings.failed_roots().is_empty(), "{findings:?}");
}

#[test]
fn a_batch_with_a_single_row_is_not_mistaken_for_equal_rows() {
    let (x, y) = clouds(80, 3.0, 0);
    let small = || Fit::new().epochs(10).batch_size(8).verbose(Verbose::Silent);
    let alone = network(Activation::Linear).fit(&x, &y, &small()).unwrap();
    let whole = threads(8, |world| {
        let fit = Fit::new().epochs(10).batch_size(8).verbose(Verbose::Silent).distributed(world);
        network(Activation::Linear).fit(&x, &y, &fit).unwrap().findings().clone()
    });
    assert_eq!(whole[0].failed_roots(), alone.findings().failed_roots());
    assert!(whole[0].of("N0303").is_none(), "{:?}", whole[0]);
}
